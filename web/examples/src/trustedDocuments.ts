/**
 * Requests that name trusted documents by their ids, as the tools have written them:
 * `npm run program src/trustedDocuments.ts <tool> <url>`. Exits with an error if a result is not as
 * expected.
 */

import assert from "node:assert/strict";
import { Environment, Network, RecordSource, Store, fetchQuery } from "relay-runtime";
import { PostsDocument } from "./trusted/graphql";
import postsQuery from "./trusted/relay/RelayCachePostsQuery.graphql";

const UNKNOWN_USER = "6f1d5b1e-7c53-4c0e-9a51-0d2b8a4f1c77";

const [tool = "", url = ""] = process.argv.slice(2);
const tools: Record<string, () => Promise<unknown>> = { codegen, relay };
const read = tools[tool];
assert(read, `The tool must be one of ${Object.keys(tools).join(", ")}.`);
assert.deepEqual(await read(), []);
console.log(`${tool}: sends ids`);

async function send(documentId: unknown, variables: object) {
  assert(typeof documentId === "string" && documentId);
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ documentId, variables }),
  });
  return response.json();
}

async function codegen(): Promise<unknown> {
  const { hash } = (PostsDocument as unknown as { __meta__: { hash: string } }).__meta__;
  const { data } = await send(hash, { first: 2, author: UNKNOWN_USER });
  return data.posts.edges;
}

async function relay(): Promise<unknown> {
  const network = Network.create((request, variables) => send(request.id, variables));
  const environment = new Environment({ network, store: new Store(new RecordSource()) });
  const data = (await fetchQuery(environment, postsQuery, { author: UNKNOWN_USER }).toPromise()) as {
    posts: { edges: unknown };
  };
  return data.posts.edges;
}
