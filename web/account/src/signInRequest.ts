/**
 * The request for a code to sign in. All tabs of this browser have it, since the link in the mail
 * opens another one: the code works with its ticket only.
 */

export interface SignInRequest {
  ticket: string;
  email: string;
  expiresAt: number;
  /** The query string of the page, with the address to return to. */
  search: string;
}

const KEY = "account:sign-in-request";

/** Return the request that this browser made, unless it has expired. */
export function readRequest(): SignInRequest | undefined {
  try {
    const request = JSON.parse(localStorage.getItem(KEY) ?? "null") as SignInRequest | null;
    return request && request.expiresAt > Date.now() ? request : undefined;
  } catch {
    return undefined;
  }
}

export function keepRequest(request: SignInRequest): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(request));
  } catch {
    // The browser blocks it: the code can be entered in this tab only.
  }
}

export function forgetRequest(): void {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
}
