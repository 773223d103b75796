/** `starting` until the server has said whether the browser holds a session. */
export type Status = "starting" | "signedIn" | "signedOut";

export interface User {
  id: string;
  username: string;
}

/** A snapshot: each change makes a new object. */
export interface SessionState {
  status: Status;
  accessToken?: string;
  /** When the access token expires, in milliseconds since 1970. */
  expiresAt?: number;
  user?: User;
}

/** What a mutation that returns a `Token` selects of it. */
export interface TokenAnswer {
  accessToken: string;
  refreshToken: string;
  /** In seconds. */
  expiresIn: number;
  user?: User;
}

export interface SessionOptions {
  /** The address of the graph, such as `https://accounts.example.com/graphql`. */
  url: string;
  /**
   * `cookie` (default): the refresh token is in an HttpOnly cookie. The session outlives a reload,
   * and all tabs share it. `memory`: each session object holds its own refresh token.
   */
  mode?: "cookie" | "memory";
}

export interface Session {
  readonly url: string;
  readonly state: SessionState;
  /** Resolves when the server has answered the silent start, or could not be reached. */
  readonly ready: Promise<SessionState>;
  /** `fetch` with the access token. Refreshes it when needed, and then repeats a request once. */
  fetch: typeof fetch;
  /** Execute one GraphQL operation and return its data. Throws a `GatehouseError`. */
  request<T>(query: string, variables?: Record<string, unknown>): Promise<T>;
  /**
   * Execute a mutation that returns a `Token`, continue with its tokens, and return its data. No
   * refresh happens meanwhile. Throws a `GatehouseError`.
   */
  adoptFrom<T>(query: string, variables?: Record<string, unknown>): Promise<T>;
  /** Continue with the tokens of a mutation that another client has executed. */
  adopt(token: TokenAnswer): void;
  /** Return an access token that has not expired, for a WebSocket. */
  accessToken(): Promise<string | undefined>;
  /** Get a new access token now. Throws a `GatehouseError`; `UNAUTHENTICATED` ends the session. */
  refresh(): Promise<void>;
  /**
   * Sign out here and in all tabs at once, and end the session on the server. Throws a
   * `GatehouseError` if the session may still be active there.
   */
  signOut(): Promise<void>;
  /** Call a listener after each change. Returns a function that removes it. */
  onChange(listener: (state: SessionState) => void): () => void;
}
