import { operation } from "./graphql.js";
import type { Session } from "./types.js";

/** Return the argument of Relay's `Network.create`. */
export function relayFetch(session: Session) {
  return async (request: { text?: string | null }, variables: Record<string, unknown>) => {
    const response = await session.fetch(session.url, operation(request.text ?? "", variables));
    return response.json();
  };
}
