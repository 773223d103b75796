import { GatehouseError, TOKEN } from "./graphql.js";
import type { Session } from "./types.js";

/** An account at an identity provider that the user signs in with. */
export interface Identity {
  id: string;
  /** The name of its provider. */
  provider: string;
  email: string | null;
  createdAt: string;
  lastUsedAt: string | null;
}

export interface ProviderOptions {
  /** Where the browser comes back to: an address of REDIRECT_ALLOWLIST, character by character. */
  redirectTo: string;
  /** What `takeReturn` returns again, such as the page to show afterwards. Any JSON value. */
  state?: unknown;
}

/** The browser came back with a code for `finishSignIn` or `finishLinking`. */
export interface ProviderCode {
  code: string;
  codeVerifier: string;
  state: unknown;
}

/** The browser came back with an error, such as `access_denied` or `provider_unavailable`. */
export interface ProviderFailure {
  error: string;
  state: unknown;
}

export type ProviderReturn = ProviderCode | ProviderFailure;

interface Flow {
  codeVerifier: string;
  state: unknown;
  code?: string;
  /** In milliseconds since 1970. */
  expiresAt: number;
}

const FINISH_SIGN_IN = `mutation FinishSignIn($code: String!, $codeVerifier: String!, $username: String) {
  finishSignIn(code: $code, codeVerifier: $codeVerifier, username: $username) { ${TOKEN} }
}`;
const START_LINKING = `mutation StartLinking($provider: String!, $redirectTo: String!, $codeChallenge: String!) {
  startLinking(provider: $provider, redirectTo: $redirectTo, codeChallenge: $codeChallenge)
}`;
const FINISH_LINKING = `mutation FinishLinking($code: String!, $codeVerifier: String!) {
  finishLinking(code: $code, codeVerifier: $codeVerifier) { id provider email createdAt lastUsedAt }
}`;

const KEY = "gatehouse:provider";
/** How long the server waits for the provider, and then for a username, in milliseconds. */
const LIFETIME = 600_000;

/** Exchanges under way, by their variables: what is asked for twice is sent once. */
const underWay = new Map<string, Promise<unknown>>();

/** Go to a provider to sign in. The tab keeps what only it must know. */
export async function signInWith(
  session: Session,
  provider: string,
  { redirectTo, state }: ProviderOptions,
): Promise<void> {
  const codeVerifier = newVerifier();
  const api = new URL(session.url, document.baseURI);
  const address = new URL(`sign-in/${encodeURIComponent(provider)}`, api);
  address.searchParams.set("redirect_to", redirectTo);
  address.searchParams.set("code_challenge", await challengeOf(codeVerifier));
  leave(address.href, codeVerifier, state);
}

/**
 * Go to a provider to link an account there to the user's. Throws a `GatehouseError`, such as one
 * that `withProof` takes.
 */
export async function startLinking(
  session: Session,
  provider: string,
  { redirectTo, state }: ProviderOptions,
): Promise<void> {
  const codeVerifier = newVerifier();
  const codeChallenge = await challengeOf(codeVerifier);
  const variables = { provider, redirectTo, codeChallenge };
  const data = await session.request<{ startLinking: string }>(START_LINKING, variables);
  leave(data.startLinking, codeVerifier, state);
}

/**
 * Return with what the browser came back, and take it out of the address. A code stays in the tab
 * until it is used, so that a reload can continue. Returns undefined if there is none.
 */
export function takeReturn(): ProviderReturn | undefined {
  const address = new URL(location.href);
  const { searchParams } = address;
  const [code, error] = [searchParams.get("code"), searchParams.get("error")];
  for (const name of ["code", "error"]) searchParams.delete(name);
  if (code || error) history.replaceState(history.state, "", address);
  const flow = keptFlow();
  if (error) {
    forgetReturn();
    return { error, state: flow?.state };
  }
  // Someone else sent the code here, or another tab has begun.
  if (code && !flow) return { error: "invalid_sign_in", state: undefined };
  if (code && flow) keep({ ...flow, code, expiresAt: Date.now() + LIFETIME });
  const found = code ?? flow?.code;
  return flow && found
    ? { code: found, codeVerifier: flow.codeVerifier, state: flow.state }
    : undefined;
}

/** Forget the code of this tab, such as when the user chooses another way. */
export function forgetReturn(): void {
  sessionStorage.removeItem(KEY);
}

/**
 * Sign in with the code of a return. Throws a `GatehouseError`: `isUsernameRequired` tells whether
 * it is a new account, which needs a username.
 */
export async function finishSignIn(
  session: Session,
  { code, codeVerifier }: ProviderCode,
  username?: string,
): Promise<void> {
  const variables = { code, codeVerifier, username };
  await once(variables, () => session.adoptFrom(FINISH_SIGN_IN, variables));
}

/** Link the account at a provider in the session that has begun it. Throws a `GatehouseError`. */
export async function finishLinking(
  session: Session,
  { code, codeVerifier }: ProviderCode,
): Promise<Identity> {
  const variables = { code, codeVerifier };
  const data = await once(variables, () =>
    session.request<{ finishLinking: Identity }>(FINISH_LINKING, variables),
  );
  return data.finishLinking;
}

/**
 * Return whether a sign-in needs a username, or another one. Takes the error of any GraphQL client.
 * The code stays good for ten minutes.
 */
export function isUsernameRequired(
  error: unknown,
): error is { extensions: { suggestedUsername?: string | null } } {
  const { extensions } = (error ?? {}) as { extensions?: { fields?: object } };
  return "username" in (extensions?.fields ?? {});
}

/** Send what is asked for twice once, and forget the code when it is used. */
function once<T>(variables: object, run: () => Promise<T>): Promise<T> {
  const key = JSON.stringify(variables);
  const sent = (underWay.get(key) as Promise<T> | undefined) ?? spend(run);
  underWay.set(key, sent);
  const end = () => void underWay.delete(key);
  sent.then(end, end);
  return sent;
}

async function spend<T>(run: () => Promise<T>): Promise<T> {
  try {
    const data = await run();
    forgetReturn();
    return data;
  } catch (error) {
    if (!leavesCodeGood(error)) forgetReturn();
    throw error;
  }
}

/** Return whether the server may not have used the code. */
function leavesCodeGood(error: unknown): boolean {
  const isTransient =
    error instanceof GatehouseError && /^(TOO_MANY_ATTEMPTS|UNAVAILABLE|OVERLOADED)$/.test(error.code);
  return isTransient || isUsernameRequired(error);
}

function leave(address: string, codeVerifier: string, state: unknown): void {
  keep({ codeVerifier, state, expiresAt: Date.now() + LIFETIME });
  location.assign(address);
}

function keptFlow(): Flow | undefined {
  const text = sessionStorage.getItem(KEY);
  const flow = text ? (JSON.parse(text) as Flow) : undefined;
  return flow && flow.expiresAt > Date.now() ? flow : undefined;
}

function keep(flow: Flow): void {
  sessionStorage.setItem(KEY, JSON.stringify(flow));
}

/** RFC 7636, sections 4.1 and 4.2. */
function newVerifier(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
