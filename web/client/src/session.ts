import { GatehouseError, TOKEN, dataOf, operation, rejectsToken } from "./graphql.js";
import { connectTabs, noOtherTabs } from "./tabs.js";
import type { Session, SessionOptions, SessionState, TokenAnswer } from "./types.js";

/** How long before its expiry an access token is refreshed, in milliseconds. */
const MARGIN = 30_000;
/** How long a refresh may take. Other tabs wait for it. */
const MAX_REFRESH_TIME = 30_000;
/** After this time browsers freeze a page that is hidden. Only some report it. */
const MAX_HIDDEN_TIME = 300_000;
/** The longest delay of a timer. */
const MAX_DELAY = 2 ** 31 - 1;

const REFRESH = `mutation Refresh($refreshToken: String!) {
  refresh(refreshToken: $refreshToken) { ${TOKEN} }
}`;
const LOGOUT = "mutation Logout { logout }";

type Receive = (response: Response) => Promise<void>;

/** Make the session of this page. It keeps its tokens in memory only. */
export function createSession({ url, mode = "cookie" }: SessionOptions): Session {
  const usesCookie = mode === "cookie";
  // A server that renders pages has no cookie of its users.
  const isShared = usesCookie && "location" in globalThis;
  const endpoint = withoutQuery(url);
  const listeners = new Set<(state: SessionState) => void>();
  let state: SessionState = { status: usesCookie ? "starting" : "signedOut" };
  let refreshToken = "cookie";
  let refreshAt = Infinity;
  let refreshing: Promise<void> | undefined;
  let hiddenAt = Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const tabs = isShared
    ? connectTabs(`gatehouse ${endpoint}`, { state: () => state, isUsable, take: change })
    : noOtherTabs();
  const ready = isShared ? refresh().catch(ignore).then(() => state) : Promise.resolve(state);
  if ("document" in globalThis) {
    document.addEventListener("visibilitychange", wake);
    document.addEventListener("resume", wake);
    addEventListener("pageshow", wake);
    addEventListener("online", wake);
  }

  function change(next: SessionState): void {
    state = next;
    const { expiresAt = Infinity } = next;
    refreshAt = expiresAt - Math.min(MARGIN, (expiresAt - Date.now()) / 2);
    schedule();
    for (const listener of [...listeners]) listener(state);
  }

  function adopt(token: TokenAnswer): void {
    if (usesCookie && token.refreshToken !== "cookie") {
      throw new Error("No cookie was set: send the mutation by this session's fetch or request.");
    }
    refreshToken = token.refreshToken;
    const { accessToken, user } = token;
    const expiresAt = Date.now() + token.expiresIn * 1000;
    change({ status: "signedIn", accessToken, expiresAt, ...(user && { user }) });
    tabs.tell(state);
  }

  function end(): void {
    refreshToken = "cookie";
    change({ status: "signedOut" });
    tabs.tell(state);
  }

  function isUsable(): boolean {
    return !!state.accessToken && Date.now() < refreshAt;
  }

  function mustRefresh(): boolean {
    return state.accessToken ? !isUsable() : isShared && state.status === "starting";
  }

  /** Refresh once for all who wait. */
  function refresh(): Promise<void> {
    const before = state;
    refreshing ??= tabs
      .exclusive(() => refreshUnlessChanged(before))
      .finally(() => (refreshing = undefined));
    return refreshing;
  }

  /** Refresh, unless a sign-in, a sign-out or another tab has changed the state meanwhile. */
  async function refreshUnlessChanged(before: SessionState): Promise<void> {
    if (state === before) await tabs.ask();
    if (state !== before) return;
    try {
      const token = await newToken(refreshToken);
      if (state === before) adopt(token);
    } catch (error) {
      if (state === before && hasCode(error, "UNAUTHENTICATED")) end();
      throw error;
    }
  }

  async function newToken(refreshToken: string): Promise<TokenAnswer> {
    const data = await execute<{ refresh: TokenAnswer }>(REFRESH, { refreshToken });
    return data.refresh;
  }

  /** Refresh if it is time. Returns false if that failed. */
  async function prepare(): Promise<boolean> {
    if (!refreshing && !mustRefresh()) return true;
    return refresh().then(
      () => true,
      () => false,
    );
  }

  function execute<T>(
    query: string,
    variables: Record<string, unknown>,
    accessToken?: string,
  ): Promise<T> {
    const init = operation(query, variables);
    const signal = AbortSignal.timeout(MAX_REFRESH_TIME);
    return dataOf<T>(send(url, { ...init, signal }, new Headers(init.headers), accessToken));
  }

  const sessionFetch: typeof fetch = (input, init) => fetchAnd(input, init);

  /** Fetch, and let `receive` see the response before a refresh can be sent. */
  async function fetchAnd(
    input: RequestInfo | URL,
    init: RequestInit = {},
    receive?: Receive,
  ): Promise<Response> {
    const isRequest = input instanceof Request;
    const headers = new Headers(init.headers ?? (isRequest ? input.headers : undefined));
    // A header of the caller is the caller's affair.
    if (headers.has("Authorization")) return send(input, init, headers);
    const isPrepared = await prepare();
    const { accessToken } = state;
    const transmit = (signal = init.signal ?? null) =>
      send(isRequest ? input.clone() : input, { ...init, signal }, headers, state.accessToken);
    const response = await exclusiveIfItReplacesTokens(init, transmit, receive);
    const canRepeat = isPrepared && accessToken && !(init.body instanceof ReadableStream);
    if (!canRepeat || !(await rejectsToken(response))) return response;
    // Only the server's answer to a refresh ends the session.
    if (state.accessToken === accessToken) await refresh().catch(ignore);
    if (!state.accessToken || state.accessToken === accessToken) return response;
    response.body?.cancel().catch(ignore);
    return exclusiveIfItReplacesTokens(init, transmit, receive);
  }

  /**
   * A response to `login` must not cross the response to another tab's refresh. And `reauthenticate`
   * makes the refresh token useless that a refresh would send.
   */
  function exclusiveIfItReplacesTokens(
    { body, signal }: RequestInit,
    transmit: (signal?: AbortSignal) => Promise<Response>,
    receive?: Receive,
  ): Promise<Response> {
    if (typeof body !== "string" || !body.includes("refreshToken")) return transmit();
    return tabs.exclusive(async () => {
      // The refreshes of all tabs wait for it.
      const limit = AbortSignal.timeout(MAX_REFRESH_TIME);
      const response = await transmit(signal ? AbortSignal.any([signal, limit]) : limit);
      await receive?.(response.clone());
      return response;
    });
  }

  async function adoptFrom<T>(query: string, variables?: Record<string, unknown>): Promise<T> {
    await prepare();
    const wasSignedIn = !!state.accessToken;
    let failure: unknown;
    const receive: Receive = async (response) => {
      failure = undefined;
      try {
        const data = await dataOf<Record<string, TokenAnswer | undefined>>(response);
        // A sign-out meanwhile stands.
        if (wasSignedIn && !state.accessToken) return;
        for (const token of Object.values(data)) if (token?.accessToken) adopt(token);
      } catch (error) {
        failure = error;
      }
    };
    const data = await dataOf<T>(fetchAnd(url, operation(query, variables), receive));
    if (failure) throw failure;
    return data;
  }

  function send(
    input: RequestInfo | URL,
    init: RequestInit,
    headers: Headers,
    accessToken?: string,
  ): Promise<Response> {
    if (accessToken) headers.set("Authorization", `Bearer ${accessToken}`);
    const isPost = (init.method ?? (input as Request).method)?.toUpperCase() === "POST";
    if (!usesCookie || !isPost || withoutQuery(input) !== endpoint) {
      return fetch(input, { ...init, headers });
    }
    headers.set("Gatehouse-Session", "cookie");
    return fetch(input, { ...init, headers, credentials: "include" });
  }

  async function signOut(): Promise<void> {
    const { accessToken } = state;
    const last = refreshToken;
    if (!accessToken && !isShared) return;
    end();
    await tabs
      .exclusive(() => logOut(accessToken, last))
      .catch((error: unknown) => {
        if (!hasCode(error, "UNAUTHENTICATED")) throw error;
      });
  }

  async function logOut(accessToken: string | undefined, refreshToken: string): Promise<void> {
    try {
      await execute(LOGOUT, {}, accessToken);
    } catch (error) {
      if (!hasCode(error, "TOKEN_EXPIRED") && !hasCode(error, "UNAUTHENTICATED")) throw error;
      const token = await newToken(refreshToken);
      await execute(LOGOUT, {}, token.accessToken);
    }
  }

  /** Refresh in time while the page is seen. A hidden page refreshes before its next request. */
  function schedule(): void {
    clearTimeout(timer);
    if (globalThis.document?.visibilityState !== "visible" || !state.accessToken) return;
    const delay = Math.max(1000, Math.min(refreshAt - Date.now(), MAX_DELAY));
    timer = setTimeout(() => (isUsable() ? schedule() : void refresh().catch(ignore)), delay);
  }

  /** Refresh what is due. A page that was frozen may have missed what other tabs told it. */
  function wake({ type, persisted }: Partial<PageTransitionEvent>): void {
    const isVisible = document.visibilityState === "visible";
    const wasHiddenLong = isVisible && Date.now() - hiddenAt > MAX_HIDDEN_TIME;
    if (persisted || type === "resume" || wasHiddenLong) refreshAt = 0;
    hiddenAt = isVisible ? Infinity : Math.min(hiddenAt, Date.now());
    if (isVisible || state.status === "starting") void prepare();
    schedule();
  }

  return {
    url,
    get state() {
      return state;
    },
    ready,
    fetch: sessionFetch,
    request: (query, variables) => dataOf(sessionFetch(url, operation(query, variables))),
    adoptFrom,
    adopt,
    accessToken: () => prepare().then(() => state.accessToken),
    refresh,
    signOut,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function withoutQuery(input: RequestInfo | URL): string {
  const address = input instanceof Request ? input.url : input;
  const base = globalThis.document?.baseURI ?? globalThis.location?.href ?? "http://localhost";
  const { origin, pathname } = new URL(address, base);
  return origin + pathname;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof GatehouseError && error.code === code;
}

function ignore(): void {}
