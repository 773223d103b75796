/**
 * What Relay's runtime keeps of a user with two types: `npm run program src/relayCache.ts <url>`.
 * Exits with an error if a result is not as expected.
 */

import assert from "node:assert/strict";
import { createSession } from "@gatehouse/client";
import { relayFetch } from "@gatehouse/client/relay";
import type { ResultOf } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import {
  Environment,
  type GraphQLTaggedNode,
  Network,
  RecordSource,
  Store,
  createOperationDescriptor,
  fetchQuery,
  getFragment,
  getSingularSelector,
} from "relay-runtime";
import { REGISTER, WRITE } from "./operations";
import meQuery, { type RelayCacheMeQuery } from "./relay/__generated__/RelayCacheMeQuery.graphql";
import postsQuery, {
  type RelayCachePostsQuery,
} from "./relay/__generated__/RelayCachePostsQuery.graphql";
import privateFragment from "./relay/__generated__/RelayCache_private.graphql";
import userFragment from "./relay/__generated__/RelayCache_user.graphql";

const [url = ""] = process.argv.slice(2);
const session = createSession({ url, mode: "memory" });

const input = {
  username: "user-relay",
  email: "relay@example.com",
  password: "analytical engine",
};
const { register } = await session.request<ResultOf<typeof REGISTER>>(print(REGISTER), { input });
session.adopt(register);
await session.request(print(WRITE), { input: { title: "one", content: "They can." } });

// Relay warns of a record with two types, in development.
const warnings: string[] = [];
console.error = (...message: unknown[]) => warnings.push(message.join(" "));

const environment = new Environment({
  network: Network.create(relayFetch(session)),
  store: new Store(new RecordSource()),
});

// Before any post is read, every way to select the email gives it.
await fetchQuery<RelayCacheMeQuery>(environment, meQuery, {}).toPromise();
assert.equal(read().me?.email, input.email);
assert.deepEqual(fragment(privateFragment), { email: input.email });
assert.deepEqual(fragment(userFragment), { username: input.username, email: input.email });

// The user's posts have the same id as their author, of type PublicUser.
const author = register.user.id;
const posts = await fetchQuery<RelayCachePostsQuery>(environment, postsQuery, {
  author,
}).toPromise();
assert.equal(posts?.posts.edges[0]?.node.author.id, read().me?.id);
assert(warnings.some((warning) => warning.includes("conflicting types")));

// What is selected on `me` or on `PrivateUser` stays, and `... on PrivateUser` is lost.
assert.equal(read().me?.email, input.email);
assert.deepEqual(fragment(privateFragment), { email: input.email });
assert.deepEqual(fragment(userFragment), { username: input.username });

// The next query for `me` brings it back.
await fetchQuery<RelayCacheMeQuery>(environment, meQuery, {}).toPromise();
assert.deepEqual(fragment(userFragment), { username: input.username, email: input.email });

console.log("relay: keeps what is selected on me");

function read(): RelayCacheMeQuery["response"] {
  const operation = createOperationDescriptor(meQuery, {});
  return environment.lookup(operation.fragment).data as unknown as RelayCacheMeQuery["response"];
}

function fragment(node: GraphQLTaggedNode) {
  const selector = getSingularSelector(getFragment(node), read().me);
  assert(selector);
  return environment.lookup(selector).data;
}
