/**
 * How each client keeps a user signed in with `@gatehouse/client`:
 * `npm run program src/session.ts <client> <url> <an expired token>`. Exits with an error if a
 * result is not as expected.
 */

import assert from "node:assert/strict";
import { ApolloClient, InMemoryCache } from "@apollo/client";
import { type Session, createSession } from "@gatehouse/client";
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
import { ME, POSTS, REGISTER, WRITE } from "./operations";

type Execute = <Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) => Promise<Data>;

function apollo(session: Session): Execute {
  const client = new ApolloClient({ link: apolloLink(session), cache: new InMemoryCache() });
  return async (document, variables) => {
    const { data } =
      operationType(document as never) === "mutation"
        ? await client.mutate({ mutation: document as never, variables })
        : await client.query({ query: document as never, variables, fetchPolicy: "network-only" });
    return data as never;
  };
}

function urql(session: Session): Execute {
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

function relay(session: Session): Execute {
  // What `Network.create` takes. `relayCache.ts` has a whole environment.
  const send: FetchFunction = relayFetch(session);
  return async (document, variables) => {
    const request = { id: null, name: "", text: print(document as never), metadata: {} };
    const sent = send({ ...request, operationKind: "query", cacheID: "" }, variables, {});
    const response = await Observable.from(sent as Promise<never>).toPromise();
    return (response as unknown as { data: never }).data;
  };
}

function withoutClient(session: Session): Execute {
  return (document, variables) => session.request(print(document as never), variables);
}

const clients: Record<string, (session: Session) => Execute> = {
  apollo,
  urql,
  relay,
  fetch: withoutClient,
};
const [name = "", url = "", expired = ""] = process.argv.slice(2);
const client = clients[name];
assert(client, `The client must be one of ${Object.keys(clients).join(", ")}.`);

// Count the requests by operation. For urql, which repeats queries, lose a response.
const requests: string[] = [];
const network = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const parameters = new URL(String(input)).searchParams;
  const document = init?.body ? JSON.parse(String(init.body)).query : parameters.get("query");
  requests.push(/(?:query|mutation) (\w+)/.exec(document)?.[1] ?? "");
  const response = await network(input, init);
  const isLost = name === "urql" && requests.filter((sent) => sent === "Posts").length === 1;
  if (isLost && requests.at(-1) === "Posts") throw new TypeError("The connection was lost.");
  return response;
};

const session = createSession({ url, mode: "memory" });
const execute = client(session);

// Sign up, write a post, and come back when the access token has expired.
const input = {
  username: `user-session-${name}`,
  email: `session-${name}@example.com`,
  password: "analytical engine",
};
const { register } = await execute(REGISTER, { input });
session.adopt(register);
await execute(WRITE, { input: { title: "one", content: "They can." } });
session.adopt({ ...register, accessToken: expired });

// Several queries at once refresh the session once, and are repeated.
const author = register.user.id;
const [{ me }, { posts }] = await Promise.all([
  execute(ME, {}),
  execute(POSTS, { first: 2, after: null, author }),
]);
assert.equal(me?.email, input.email);
assert.equal(posts.edges[0]?.node.author.username, input.username);
assert.equal(requests.filter((sent) => sent === "Refresh").length, 1);
assert.notEqual(session.state.accessToken, expired);

// Sign out: there is no user any more.
await session.signOut();
assert.equal(session.state.status, "signedOut");
await assert.rejects(execute(ME, {}).then((data) => assert(data.me)));

console.log(`${name}: stays signed in`);
