/**
 * How urql keeps a user signed in: `npm run program src/urqlSession.ts <url> <an expired token>`.
 * Exits with an error if a result is not as expected.
 */

import assert from "node:assert/strict";
import { Client, fetchExchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { cacheExchange } from "@urql/exchange-graphcache";
import { retryExchange } from "@urql/exchange-retry";
import { authorization } from "./client";
import { ME, POSTS, REFRESH, REGISTER, WRITE } from "./operations";

const [url = "", expired = ""] = process.argv.slice(2);

// Count the requests by operation, and lose the first response of each query, as on a bad network.
const requests: string[] = [];
const unreliable: typeof fetch = async (input, init) => {
  const body = init?.body ? JSON.parse(String(init.body)) : {};
  const operation = body.operationName ?? new URL(String(input)).searchParams.get("operationName");
  requests.push(operation);
  const response = await fetch(input, init);
  if (operation === "Posts" && requests.filter((name) => name === "Posts").length === 1) {
    throw new TypeError("The connection was lost.");
  }
  return response;
};

const session = { accessToken: "", refreshToken: "" };
const client = new Client({
  url,
  fetch: unreliable,
  exchanges: [
    // These have no id, and belong to what they are in.
    cacheExchange({ keys: { Token: () => null } }),
    authExchange(async ({ appendHeaders, mutate }) => ({
      addAuthToOperation: (operation) =>
        appendHeaders(operation, authorization(session.accessToken)),
      didAuthError: (error) =>
        error.graphQLErrors.some(({ extensions }) => extensions.code === "TOKEN_EXPIRED"),
      refreshAuth: async () => {
        const { data } = await mutate(REFRESH, { refreshToken: session.refreshToken });
        if (data) Object.assign(session, data.refresh);
      },
    })),
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

// Sign up, write a post, and come back when the access token has expired.
const input = {
  username: "user-urql-session",
  email: "urql-session@example.com",
  password: "analytical engine",
};
const { data: registered } = await client.mutation(REGISTER, { input });
assert(registered);
Object.assign(session, registered.register);
await client.mutation(WRITE, { input: { title: "one", content: "They can." } });
session.accessToken = expired;

// Several queries at once refresh the session once, and are repeated.
const [me, posts] = await Promise.all([
  client.query(ME, {}, { requestPolicy: "network-only" }),
  client.query(POSTS, { first: 2, after: null, author: registered.register.user.id }),
]);
assert.equal(me.error, undefined);
assert.equal(me.data?.me?.email, input.email);
assert.equal(requests.filter((name) => name === "Refresh").length, 1);
assert.notEqual(session.accessToken, expired);

// The lost response was asked for again.
assert.equal(posts.error, undefined);
assert.equal(posts.data?.posts.edges[0]?.node.author.username, input.username);
assert(requests.filter((name) => name === "Posts").length > 1);

// What the cache has needs no request.
const before = requests.length;
const again = await client.query(ME, {}, { requestPolicy: "cache-only" });
assert.equal(again.data?.me?.email, input.email);
assert.equal(requests.length, before);

console.log("urql: stays signed in");
