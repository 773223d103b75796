/**
 * A page that keeps a user signed in with any of the clients: `?client=<client>&url=<graph>`.
 * Scripts call its `page`.
 */

import { type Session, type TokenAnswer, createSession } from "@gatehouse/client";
import { relayFetch } from "@gatehouse/client/relay";
import {
  Environment,
  Network,
  RecordSource,
  Store,
  commitMutation,
  fetchQuery,
} from "relay-runtime";
import { EVENTS, LOGIN, ME } from "./operations";
import loginMutation, {
  type SessionLoginMutation,
} from "./relay/__generated__/SessionLoginMutation.graphql";
import meQuery, { type SessionMeQuery } from "./relay/__generated__/SessionMeQuery.graphql";
import { type Execute, clients } from "./sessionClients";
import { watchers } from "./subscriptionClients";

interface Operations {
  logIn(username: string, password: string): Promise<TokenAnswer>;
  /** Return the user's name, if there is a user. */
  me(): Promise<string | undefined>;
}

function executedBy(execute: Execute): Operations {
  return {
    logIn: async (username, password) => (await execute(LOGIN, { username, password })).login,
    me: async () => (await execute(ME, {})).me?.username,
  };
}

/** Relay executes compiled documents only. */
function executedByRelay(session: Session): Operations {
  const environment = new Environment({
    network: Network.create(relayFetch(session)),
    store: new Store(new RecordSource()),
  });
  return {
    logIn: (username, password) =>
      new Promise((resolve, reject) => {
        commitMutation<SessionLoginMutation>(environment, {
          mutation: loginMutation,
          variables: { username, password },
          onCompleted: ({ login }) => resolve(login),
          onError: reject,
        });
      }),
    me: async () => {
      const data = await fetchQuery<SessionMeQuery>(environment, meQuery, {}).toPromise();
      return data?.me?.username;
    },
  };
}

const parameters = new URLSearchParams(location.search);
const name = parameters.get("client") ?? "";
const session = createSession({ url: parameters.get("url") ?? "", mode: "cookie" });
const client = clients[name];
if (!client) throw new Error(`The client must be one of ${Object.keys(clients).join(", ")}.`);
const watch = watchers[name]?.(session);
const kinds: string[] = [];
const { logIn, me } = name === "relay" ? executedByRelay(session) : executedBy(client(session));

Object.assign(globalThis, {
  page: {
    session,
    me,
    /** The kinds of the events since `watch`. */
    kinds,
    watch: () => watch?.(EVENTS, ({ securityEvents }) => kinds.push(securityEvents.kind)),
    logIn: async (username: string, password: string) =>
      session.adopt(await logIn(username, password)),
  },
});
