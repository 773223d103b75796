/**
 * The registration of this browser that waits for the code of its mail. It is kept for all tabs,
 * since the link of the mail opens another one. Without the code, the ticket is worth nothing.
 */

export interface PendingRegistration {
  ticket: string;
  email: string;
  /** In milliseconds since 1970. */
  expiresAt: number;
  /** The query of the page, with the address to return to. The link of the mail does not have it. */
  search: string;
}

const SAVED_KEY = "account:registration";

export function savedRegistration(): PendingRegistration | undefined {
  try {
    const text = localStorage.getItem(SAVED_KEY);
    const saved = text ? (JSON.parse(text) as PendingRegistration) : undefined;
    return saved && saved.expiresAt > Date.now() ? saved : undefined;
  } catch {
    return undefined;
  }
}

/** Save a registration, or forget the saved one. */
export function saveRegistration(registration: PendingRegistration | undefined): void {
  try {
    if (registration) localStorage.setItem(SAVED_KEY, JSON.stringify(registration));
    else localStorage.removeItem(SAVED_KEY);
  } catch {
    // The browser blocks it: the code works in this tab, until it is loaded again.
  }
}
