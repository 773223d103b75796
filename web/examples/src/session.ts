/**
 * How each client keeps a user signed in with `@gatehouse/client`:
 * `npm run program src/session.ts <client> <url> <an expired token>`. Exits with an error if a
 * result is not as expected.
 */

import assert from "node:assert/strict";
import { createSession } from "@gatehouse/client";
import { ME, POSTS, REGISTER, WRITE } from "./operations";
import { clients } from "./sessionClients";

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
