/** How each client subscribes with a session of `@gatehouse/client`, over one WebSocket. */

import { ApolloClient, ApolloLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import type { Session } from "@gatehouse/client";
import { apolloLink } from "@gatehouse/client/apollo";
import { relayFetch } from "@gatehouse/client/relay";
import { subscribe } from "@gatehouse/client/subscriptions";
import { urqlAuth } from "@gatehouse/client/urql";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { OperationTypeNode, print } from "graphql";
import { type Client as WebSocketClient, createClient } from "graphql-ws";
import { type FetchFunction, Observable, type SubscribeFunction } from "relay-runtime";

/** Call `next` with the data of each event. Returns a function that stops it. */
export type Watch = <Data>(
  document: TypedDocumentNode<Data, Record<string, never>>,
  next: (data: Data) => void,
) => () => void;

/** Make a client of graphql-ws, for the libraries that take one. */
export function webSocketClient(session: Session): WebSocketClient {
  return createClient({
    url: session.url.replace(/^http/, "ws"),
    connectionParams: async () => ({ Authorization: `Bearer ${await session.accessToken()}` }),
    on: {
      // The session has ended, or the access token has expired before its time.
      closed: (event) => {
        if ([4401, 4403].includes((event as CloseEvent).code)) session.refresh().catch(() => {});
      },
    },
  });
}

export function apollo(session: Session): Watch {
  const link = ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(webSocketClient(session)),
    apolloLink(session),
  );
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  return (document, next) => {
    const events = client.subscribe({ query: document as never });
    const subscription = events.subscribe(({ data }) => data && next(data as never));
    return () => subscription.unsubscribe();
  };
}

export function urql(session: Session): Watch {
  const webSocket = webSocketClient(session);
  const client = new Client({
    url: session.url,
    exchanges: [
      authExchange(urqlAuth(session)),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = "", variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: webSocket.subscribe({ query, variables }, sink as never),
          }),
        }),
      }),
    ],
  });
  return (document, next) => {
    const events = client.subscription(document, {});
    return events.subscribe(({ data }) => data && next(data)).unsubscribe;
  };
}

export function relay(session: Session): Watch {
  const webSocket = webSocketClient(session);
  // What `Network.create` takes.
  const send: SubscribeFunction = ({ text }, variables) =>
    Observable.create((sink) =>
      webSocket.subscribe({ query: text ?? "", variables }, sink as never),
    );
  const network: [FetchFunction, SubscribeFunction] = [relayFetch(session), send];
  return (document, next) => {
    const request = { id: null, name: "", text: print(document as never), metadata: {} };
    const events = network[1]({ ...request, operationKind: "subscription", cacheID: "" }, {}, {});
    const subscription = (events as Observable<{ data: never }>).subscribe({
      next: ({ data }) => next(data),
    });
    return () => subscription.unsubscribe();
  };
}

export function withoutClient(session: Session): Watch {
  return (document, next) => subscribe(session, print(document as never), { next });
}

/** The clients by name. */
export const watchers: Record<string, (session: Session) => Watch> = {
  apollo,
  urql,
  relay,
  fetch: withoutClient,
};
