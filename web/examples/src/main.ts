/**
 * What a frontend does with the API: `npm start <client> <url>`. Exits with an error if a result is
 * not as expected.
 */

import assert from "node:assert/strict";
import { createSession } from "@gatehouse/client";
import { apollo, apolloPersisted, namesAfterRename } from "./apollo";
import { apollo3, apollo3Persisted } from "./apollo3";
import type { Execute } from "./client";
import { ApiError, reactionTo } from "./errors";
import { graphqlRequest } from "./graphqlRequest";
import { LOGIN, ME, POSTS, REFRESH, REGISTER, WRITE } from "./operations";
import { urql, urqlPersisted } from "./urql";
import { webSocket } from "./webSocket";

const clients: Record<string, (url: string) => Execute> = {
  apollo,
  "apollo-persisted": apolloPersisted,
  "apollo-3": apollo3,
  "apollo-3-persisted": apollo3Persisted,
  urql,
  "urql-persisted": urqlPersisted,
  "graphql-request": graphqlRequest,
  "graphql-ws": webSocket,
};

const [name = "", url = ""] = process.argv.slice(2);
const client = clients[name];
assert(client, `The client must be one of ${Object.keys(clients).join(", ")}.`);
const execute = client(url);

const password = "analytical engine";
const username = `user-${name}`;
const input = { username, email: `${username}@example.com`, password };

// Register, and read the current user.
const { register } = await execute(REGISTER, { input });
const { me } = await execute(ME, {}, register.accessToken);
assert.deepEqual(
  { id: me?.id, username: me?.username, email: me?.email },
  { id: register.user.id, username, email: input.email },
);
assert.deepEqual(me?.sessions, [{ ...me?.sessions[0], isCurrent: true, method: "REGISTRATION" }]);

// Every error has a code, which decides what to do.
assert.equal(await reactionToErrorOf(execute(REGISTER, { input })), "correct the input");
const wrong = { username, password: "wrong" };
assert.equal(await reactionToErrorOf(execute(LOGIN, wrong)), "correct the input");
assert.equal(await reactionToErrorOf(execute(ME, {})), "sign in");
assert.equal(await reactionToErrorOf(execute(ME, {}, "broken")), "sign in");

// Refresh the session.
const { refresh } = await execute(REFRESH, { refreshToken: register.refreshToken });
assert.notEqual(refresh.refreshToken, register.refreshToken);

// Publish posts, and read them page by page.
for (const title of ["one", "two", "three"]) {
  await execute(WRITE, { input: { title, content: "They can." } }, refresh.accessToken);
}
const titles: string[] = [];
let after: string | null | undefined = null;
do {
  const { posts }: Awaited<ReturnType<typeof page>> = await page(after);
  titles.push(...posts.edges.map(({ node }) => `${node.title} by ${node.author.username}`));
  after = posts.pageInfo.hasNextPage ? posts.pageInfo.endCursor : null;
} while (after);
assert.deepEqual(titles, ["three", "two", "one"].map((title) => `${title} by ${username}`));

// A new name shows beside the posts that are in the cache.
if (name === "apollo") {
  const renamed = `${username}-2`;
  const session = createSession({ url, mode: "memory" });
  session.adopt(refresh);
  const names = await namesAfterRename(session, register.user.id, renamed);
  assert.deepEqual(names, [renamed, renamed, renamed]);
}

console.log(`${name}: all is well`);

function page(after: string | null | undefined) {
  return execute(POSTS, { first: 2, after, author: register.user.id });
}

async function reactionToErrorOf(execution: Promise<unknown>) {
  const error = await execution.then(
    () => assert.fail("The operation should have failed."),
    (error: unknown) => error,
  );
  assert(error instanceof ApiError, String(error));
  return reactionTo(error.code);
}
