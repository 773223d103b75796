/**
 * Who uses the explorer. Kept in memory alone: a reload forgets it, and no script that runs here later finds a token or
 * a password in the browser's storage.
 */

import { useSyncExternalStore } from "react";
import { type Answer, type GraphQLError, LOGIN, REFRESH, REGISTER, type Token, send } from "./graph";

export type Account =
  | { is: "signed out"; because?: string }
  | { is: "signed in" | "expired"; token: Token; until: Date };

/** A browser's timers reach no further. */
const LONGEST_TIMER = 2 ** 31 - 1;

let account: Account = { is: "signed out" };
let expiry: number | undefined;
const listeners = new Set<() => void>();

export function useAccount(): Account {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => account,
  );
}

export type Values = Record<string, string>;

export function register(input: Values): Promise<GraphQLError | undefined> {
  return signIn({ query: REGISTER, variables: { input } });
}

export function logIn(variables: Values): Promise<GraphQLError | undefined> {
  return signIn({ query: LOGIN, variables });
}

/** Go on with the session, whether its access token has expired or not. */
export async function refresh(): Promise<GraphQLError | undefined> {
  if (account.is === "signed out") return undefined;
  const { refreshToken } = account.token;
  const error = await signIn({ query: REFRESH, variables: { refreshToken } });
  if (error?.extensions?.code !== "UNAUTHENTICATED") return error;
  set({ is: "signed out", because: "Your session has ended." });
  return undefined;
}

/** By the refresh token, which is good for that when the access token has expired, too. */
export async function logOut(): Promise<void> {
  if (account.is === "signed out") return;
  const body = new URLSearchParams({ token: account.token.refreshToken });
  set({ is: "signed out" });
  const response = await fetch("/revoke", { method: "POST", body }).catch(() => undefined);
  if (!response?.ok) set({ is: "signed out", because: "The server could not be told to end your session." });
}

/** For every request of every tab. An expired token too: only what needs a user is refused for it, and says so. */
export function authorization(): Values {
  return account.is === "signed out"
    ? {}
    : { Authorization: `Bearer ${account.token.accessToken}` };
}

/** Learn from the answer to a request whether the token that it was sent with has expired, or its session ended. */
export function heed(answer: Answer<unknown>, sent: string | null): void {
  if (account.is === "signed out" || sent !== authorization().Authorization) return;
  // An error that names a field is about that, and not about who asks.
  const codes = answer.errors?.filter(({ extensions }) => !extensions?.fields);
  const hasCode = (code: string) => codes?.some(({ extensions }) => extensions?.code === code);
  if (hasCode("TOKEN_EXPIRED")) set({ ...account, is: "expired" });
  if (hasCode("UNAUTHENTICATED")) set({ is: "signed out", because: "Your session has ended." });
}

/** What keeps from it; nothing if it is done, or if the account has changed while it was under way. */
async function signIn(request: object): Promise<GraphQLError | undefined> {
  const before = account;
  const { data, errors } = await send<Record<string, Token>>(request, new Headers());
  if (account !== before) return undefined;
  const token = data && Object.values(data)[0];
  if (!token) return errors?.[0] ?? { message: "The server gave no answer." };
  const until = new Date(Date.now() + token.expiresIn * 1000);
  set({ is: "signed in", token, until });
  expire();
  return undefined;
}

function expire(): void {
  if (account.is !== "signed in") return;
  const left = account.until.getTime() - Date.now();
  if (left <= 0) set({ ...account, is: "expired" });
  else expiry = window.setTimeout(expire, Math.min(left, LONGEST_TIMER));
}

function set(next: Account): void {
  window.clearTimeout(expiry);
  account = next;
  for (const listener of listeners) listener();
}
