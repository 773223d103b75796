/**
 * The account that the explorer is signed in to. It is kept in memory only: reloading the page
 * signs out, and a script that runs here later finds no token or password in the browser's storage.
 */

import { useSyncExternalStore } from "react";
import {
  type GraphQLError,
  type GraphQLResponse,
  LOGIN,
  REFRESH,
  REGISTER,
  type Token,
  send,
} from "./graph";

export type Account =
  | { status: "signed out"; reason?: string }
  | { status: "signed in" | "expired"; token: Token; expiresAt: Date };

/** The longest delay of a browser's timer, in milliseconds. */
const LONGEST_DELAY = 2 ** 31 - 1;

let account: Account = { status: "signed out" };
let expiryTimer: number | undefined;
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

/** Refresh the session. This also works when its access token has expired. */
export async function refresh(): Promise<GraphQLError | undefined> {
  if (account.status === "signed out") return undefined;
  const { refreshToken } = account.token;
  const error = await signIn({ query: REFRESH, variables: { refreshToken } });
  if (error?.extensions?.code !== "UNAUTHENTICATED") return error;
  set({ status: "signed out", reason: "Your session has ended." });
  return undefined;
}

/** End the session by its refresh token, which works when the access token has expired. */
export async function logOut(): Promise<void> {
  if (account.status === "signed out") return;
  const body = new URLSearchParams({ token: account.token.refreshToken });
  set({ status: "signed out" });
  const response = await fetch("revoke", { method: "POST", body }).catch(() => undefined);
  if (!response?.ok) {
    set({ status: "signed out", reason: "Your session may still be active on the server." });
  }
}

/**
 * Return the headers that authenticate a request. An expired token is sent too: the API then
 * returns TOKEN_EXPIRED for the fields that need a user, and data for the others.
 */
export function authorization(): Values {
  return account.status === "signed out"
    ? {}
    : { Authorization: `Bearer ${account.token.accessToken}` };
}

/** Update the account if the response to a request shows that its token or session has ended. */
export function updateFrom(response: GraphQLResponse<unknown>, sentHeader: string | null): void {
  if (account.status === "signed out" || sentHeader !== authorization().Authorization) return;
  // An error with `fields` is about an argument, not about the token of the request.
  const errors = response.errors?.filter(({ extensions }) => !extensions?.fields);
  const hasCode = (code: string) => errors?.some(({ extensions }) => extensions?.code === code);
  if (hasCode("TOKEN_EXPIRED")) set({ ...account, status: "expired" });
  if (hasCode("UNAUTHENTICATED")) set({ status: "signed out", reason: "Your session has ended." });
}

/**
 * Send a request that returns a Token and sign in with it. Return the error if there is one.
 * The response is discarded if the account has changed in the meantime.
 */
async function signIn(request: object): Promise<GraphQLError | undefined> {
  const before = account;
  const { data, errors } = await send<Record<string, Token>>(request, new Headers());
  if (account !== before) return undefined;
  const token = data && Object.values(data)[0];
  if (!token) return errors?.[0] ?? { message: "The server returned no token." };
  const expiresAt = new Date(Date.now() + token.expiresIn * 1000);
  set({ status: "signed in", token, expiresAt });
  markExpiredInTime();
  return undefined;
}

function markExpiredInTime(): void {
  if (account.status !== "signed in") return;
  const left = account.expiresAt.getTime() - Date.now();
  if (left <= 0) set({ ...account, status: "expired" });
  else expiryTimer = window.setTimeout(markExpiredInTime, Math.min(left, LONGEST_DELAY));
}

function set(next: Account): void {
  window.clearTimeout(expiryTimer);
  account = next;
  for (const listener of listeners) listener();
}
