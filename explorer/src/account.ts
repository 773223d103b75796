/**
 * Who uses the explorer. Kept in memory alone: a reload forgets it, and no script that runs here later finds a token or
 * a password in the browser's storage.
 */

import { useSyncExternalStore } from "react";
import {
  type Answer,
  type GraphQLError,
  LOGIN,
  LOGOUT,
  REFRESH,
  REGISTER,
  type Token,
  send,
} from "./graph";

export type Account =
  | { is: "signed out"; because?: string }
  | { is: "signed in"; token: Token; until: Date }
  | { is: "expired"; token: Token; until: Date };

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

export function register(input: {
  username: string;
  email: string;
  password: string;
}): Promise<GraphQLError | undefined> {
  return signIn(send<Record<string, Token>>({ query: REGISTER, variables: { input } }, {}));
}

export function logIn(variables: {
  username: string;
  password: string;
}): Promise<GraphQLError | undefined> {
  return signIn(send<Record<string, Token>>({ query: LOGIN, variables }, {}));
}

/** Go on with the session, whether its access token has expired or not. */
export async function refresh(): Promise<void> {
  if (account.is === "signed out") return;
  const variables = { refreshToken: account.token.refreshToken };
  const error = await signIn(send<Record<string, Token>>({ query: REFRESH, variables }, {}));
  if (error?.extensions?.code === "UNAUTHENTICATED") {
    set({ is: "signed out", because: "Your session has ended." });
  }
}

export async function logOut(): Promise<void> {
  await send({ query: LOGOUT }, authorization());
  set({ is: "signed out" });
}

/** For every request of every tab. */
export function authorization(): Record<string, string> {
  return account.is === "signed in"
    ? { Authorization: `Bearer ${account.token.accessToken}` }
    : {};
}

/** Learn from any answer whether the session has ended elsewhere. */
export function heed(answer: Answer<unknown>): void {
  const codes = answer.errors?.map((error) => error.extensions?.code) ?? [];
  if (account.is === "signed in" && codes.includes("UNAUTHENTICATED")) {
    set({ is: "signed out", because: "Your session has ended." });
  }
}

async function signIn(
  answering: Promise<Answer<Record<string, Token>>>,
): Promise<GraphQLError | undefined> {
  const { data, errors } = await answering;
  const token = data && Object.values(data)[0];
  if (!token) return errors?.[0] ?? { message: "The server gave no answer." };
  const until = new Date(Date.now() + token.expiresIn * 1000);
  set({ is: "signed in", token, until });
  expiry = window.setTimeout(() => set({ is: "expired", token, until }), token.expiresIn * 1000);
  return undefined;
}

function set(next: Account): void {
  window.clearTimeout(expiry);
  account = next;
  for (const listener of listeners) listener();
}
