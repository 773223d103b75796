/** What every frontend does with the API: `npm start <client> <url>`. Exits with an error if anything is not as it should be. */

import assert from "node:assert/strict";
import { apollo } from "./apollo";
import type { Ask } from "./client";
import { graphqlRequest } from "./graphqlRequest";
import { LOGIN, ME, POSTS, REFRESH, REGISTER, WRITE } from "./operations";
import { Refusal, whatToDo } from "./refusal";
import { urql } from "./urql";

const clients: Record<string, (url: string) => Ask> = { apollo, urql, "graphql-request": graphqlRequest };

const [name = "", url = ""] = process.argv.slice(2);
const client = clients[name];
assert(client, `one of ${Object.keys(clients).join(", ")}`);
const ask = client(url);

const password = "analytical engine";
const username = `person-${name}`;
const input = { username, email: `${username}@example.com`, password };

// Register, and read who one is.
const { register } = await ask(REGISTER, { input });
const { me } = await ask(ME, {}, register.accessToken);
assert.deepEqual(
  { id: me?.id, username: me?.username, email: me?.email },
  { id: register.user.id, username, email: input.email },
);
assert.deepEqual(me?.sessions, [{ ...me?.sessions[0], isCurrent: true, method: "REGISTRATION" }]);

// Refusals have a code, and the code says what to do.
assert.equal(await refusedWith(ask(REGISTER, { input })), "mend the input");
assert.equal(await refusedWith(ask(LOGIN, { username, password: "wrong" })), "mend the input");
assert.equal(await refusedWith(ask(ME, {})), "log in");
assert.equal(await refusedWith(ask(ME, {}, "broken")), "log in");

// Go on with the session.
const { refresh } = await ask(REFRESH, { refreshToken: register.refreshToken });
assert.notEqual(refresh.refreshToken, register.refreshToken);

// Write, and page through it.
for (const title of ["one", "two", "three"]) {
  await ask(WRITE, { input: { title, content: "They can." } }, refresh.accessToken);
}
const titles: string[] = [];
let after: string | null | undefined = null;
do {
  const { posts }: Awaited<ReturnType<typeof page>> = await page(after);
  titles.push(...posts.edges.map(({ node }) => `${node.title} by ${node.author.username}`));
  after = posts.pageInfo.hasNextPage ? posts.pageInfo.endCursor : null;
} while (after);
assert.deepEqual(titles, ["three", "two", "one"].map((title) => `${title} by ${username}`));

console.log(`${name}: all is well`);

function page(after: string | null | undefined) {
  return ask(POSTS, { first: 2, after, author: register.user.id });
}

async function refusedWith(asked: Promise<unknown>) {
  const refusal = await asked.then(
    () => assert.fail("This should have been refused."),
    (error: unknown) => error,
  );
  assert(refusal instanceof Refusal, String(refusal));
  return whatToDo(refusal.code);
}
