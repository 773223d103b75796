/** How each client sends its operations through a session of `@gatehouse/client`. */

import { ApolloClient, InMemoryCache } from "@apollo/client";
import type { Session } from "@gatehouse/client";
import { apolloLink } from "@gatehouse/client/apollo";
import { relayFetch } from "@gatehouse/client/relay";
import { urqlAuth } from "@gatehouse/client/urql";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { Client, fetchExchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { cacheExchange } from "@urql/exchange-graphcache";
import { retryExchange } from "@urql/exchange-retry";
import { print } from "graphql";
import { type FetchFunction, Observable } from "relay-runtime";
import { operationType } from "./client";

export type Execute = <Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) => Promise<Data>;

export function apollo(session: Session): Execute {
  const client = new ApolloClient({ link: apolloLink(session), cache: new InMemoryCache() });
  return async (document, variables) => {
    const { data } =
      operationType(document as never) === "mutation"
        ? await client.mutate({ mutation: document as never, variables })
        : await client.query({ query: document as never, variables, fetchPolicy: "network-only" });
    return data as never;
  };
}

export function urql(session: Session): Execute {
  const client = new Client({
    url: session.url,
    exchanges: [
      // These have no id, and belong to what they are in.
      cacheExchange({ keys: { Token: () => null } }),
      authExchange(urqlAuth(session)),
      retryExchange({
        initialDelayMs: 10,
        retryIf: (error) =>
          Boolean(error.networkError) ||
          error.graphQLErrors.some(({ extensions }) =>
            ["UNAVAILABLE", "OVERLOADED"].includes(String(extensions.code)),
          ),
      }),
      fetchExchange,
    ],
  });
  return async (document, variables) => {
    const { data, error } =
      operationType(document as never) === "mutation"
        ? await client.mutation(document, variables)
        : await client.query(document, variables, { requestPolicy: "network-only" });
    if (error) throw error;
    return data as never;
  };
}

export function relay(session: Session): Execute {
  // What `Network.create` takes. `relayCache.ts` has a whole environment.
  const send: FetchFunction = relayFetch(session);
  return async (document, variables) => {
    const request = { id: null, name: "", text: print(document as never), metadata: {} };
    const sent = send({ ...request, operationKind: "query", cacheID: "" }, variables, {});
    const response = await Observable.from(sent as Promise<never>).toPromise();
    return (response as unknown as { data: never }).data;
  };
}

export function withoutClient(session: Session): Execute {
  return (document, variables) => session.request(print(document as never), variables);
}

/** The clients by name. */
export const clients: Record<string, (session: Session) => Execute> = {
  apollo,
  urql,
  relay,
  fetch: withoutClient,
};
