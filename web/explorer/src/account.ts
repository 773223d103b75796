/**
 * The account that the explorer is signed in to, in all tabs and after a reload. The access token
 * is in memory and the refresh token in a cookie that no script can read, so a script that runs
 * here later finds no token or password in the browser's storage.
 */

import { GatehouseError, createSession } from "@gatehouse/client";
import { isSecondFactorRequired, passSecondFactor } from "@gatehouse/client/second-factor";
import { type Subscriber, subscribe } from "@gatehouse/client/subscriptions";
import { useSyncExternalStore } from "react";
import { EMAIL, FOLLOW, type GraphQLError, type GraphQLResponse, LOGIN, REGISTER } from "./graph";

export type Account =
  | { status: "starting" }
  | { status: "signed out"; reason?: string }
  | { status: "signed in" | "expired"; username: string; email: string; expiresAt: Date };

/** The longest delay of a browser's timer, in milliseconds. */
const LONGEST_DELAY = 2 ** 31 - 1;

const session = createSession({ url: "graphql", mode: "cookie" });

let account: Account = { status: "starting" };
let isLoggingOut = false;
let expiryTimer: number | undefined;
let isFollowing = false;
const listeners = new Set<() => void>();

session.onChange(() => void update());
// Without an answer of the server, users can sign in.
void session.ready.then(({ status }) => status === "starting" && set({ status: "signed out" }));

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
  return errorOf(session.adoptFrom(REGISTER, { input }));
}

export function logIn(variables: Values): Promise<GraphQLError | undefined> {
  return errorOf(session.adoptFrom(LOGIN, variables));
}

/** Return the ticket of the second step, if that is what is missing for a sign-in. */
export function ticketOf(error: GraphQLError | undefined): string | undefined {
  return isSecondFactorRequired(error) ? error.extensions.challenge.ticket : undefined;
}

/** Complete a sign-in that needs a second step. */
export function enterCode(ticket: string, code: string): Promise<GraphQLError | undefined> {
  return errorOf(passSecondFactor(session, ticket, code));
}

/** Refresh the session. This also works when its access token has expired. */
export async function refresh(): Promise<GraphQLError | undefined> {
  try {
    await session.refresh();
  } catch (error) {
    if (account.status !== "signed out") return graphQLError(error);
  }
  return undefined;
}

export async function logOut(): Promise<void> {
  isLoggingOut = true;
  try {
    await session.signOut();
  } catch {
    set({ status: "signed out", reason: "Your session may still be active on the server." });
  } finally {
    isLoggingOut = false;
  }
}

/**
 * Return the headers that authenticate a request. If an expired token cannot be refreshed, it is
 * sent too: the API then returns TOKEN_EXPIRED for the fields that need a user, and data for the
 * others.
 */
export async function authorization(): Promise<Values> {
  const token = await session.accessToken();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** Refresh if the response to a request shows that its token or session has ended. */
export async function updateFrom(
  response: GraphQLResponse<unknown>,
  sentHeader: string | null,
): Promise<void> {
  if (sentHeader !== `Bearer ${session.state.accessToken}`) return;
  // An error with `fields` is about an argument, not about the token of the request.
  const errors = response.errors?.filter(({ extensions }) => !extensions?.fields);
  const codes = errors?.map(({ extensions }) => extensions?.code);
  if (codes?.includes("TOKEN_EXPIRED") || codes?.includes("UNAUTHENTICATED")) await refresh();
}

/** Run a subscription of a user with the account's token. Returns a function that stops it. */
export function run(query: string, subscriber: Subscriber<unknown>): () => void {
  return subscribe(session, query, subscriber);
}

/** Follow the account while it is signed in. The session is then told when it ends elsewhere. */
function follow(): void {
  if (isFollowing) return;
  isFollowing = true;
  subscribe<{ me: { username: string; email: string } }>(session, FOLLOW, {
    next: ({ me }) => {
      if (!("username" in account)) return;
      set({ ...account, ...me });
      markExpiredInTime();
    },
    ended: () => (isFollowing = false),
  });
}

async function errorOf(signIn: Promise<unknown>): Promise<GraphQLError | undefined> {
  return signIn.then(() => undefined, graphQLError);
}

function graphQLError(error: unknown): GraphQLError {
  if (error instanceof GatehouseError) return error;
  return { message: String(error) };
}

/** Show the state of the session, with the email, which is not part of it. */
async function update(): Promise<void> {
  const { state } = session;
  const { user, expiresAt } = state;
  if (!user || !expiresAt) {
    const hasEnded = "username" in account && !isLoggingOut;
    set({ status: "signed out", ...(hasEnded && { reason: "Your session has ended." }) });
    return;
  }
  follow();
  const { username } = user;
  const email =
    "username" in account && account.username === username ? account.email : await readEmail();
  if (session.state !== state) return;
  set({ status: "signed in", username, email, expiresAt: new Date(expiresAt) });
  markExpiredInTime();
}

async function readEmail(): Promise<string> {
  const data = await session.request<{ me: { email: string } }>(EMAIL).catch(() => undefined);
  return data?.me.email ?? "unknown email";
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
