import { HttpLink } from "@apollo/client/link/http";
import type { Session } from "./types.js";

/** Return the terminating link of an Apollo Client, version 4. */
export function apolloLink(session: Session): HttpLink {
  return new HttpLink({ uri: session.url, fetch: session.fetch });
}
