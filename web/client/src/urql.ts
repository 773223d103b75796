import type { Session } from "./types.js";

/** Return the argument of `authExchange`. The session's `fetch` then sends every operation. */
export function urqlAuth(session: Session) {
  return async () => ({
    addAuthToOperation: <Operation extends { context: object }>(operation: Operation) => ({
      ...operation,
      context: { ...operation.context, fetch: session.fetch },
    }),
    // The session's `fetch` refreshes and repeats.
    didAuthError: () => false,
    refreshAuth: async () => {},
  });
}
