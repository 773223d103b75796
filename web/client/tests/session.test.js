/**
 * A session in memory, against the live servers of GATEHOUSE_URL and LIMITED_URL, which allows one
 * refresh. `clients/test_client_package.py` starts them.
 */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { GatehouseError, createSession } from "@gatehouse/client";

const url = process.env.GATEHOUSE_URL;
const expired = process.env.EXPIRED_TOKEN;
const password = "analytical engine";
const TOKEN = "accessToken refreshToken expiresIn user { id username }";
const REGISTER = `mutation Register($input: RegisterInput!) { register(input: $input) { ${TOKEN} } }`;
const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { ${TOKEN} }
}`;
const ME = "query Me { me { username } }";

// The network, which can fail, and what was sent over it.
const network = globalThis.fetch;
let sent = [];
let fails = () => false;
globalThis.fetch = async (input, init) => {
  const body = String(init?.body ?? "");
  sent.push({ body, headers: new Headers(init?.headers) });
  if (fails(body)) throw new TypeError("fetch failed");
  return network(input, init);
};

let session;
let username;
let token;
beforeEach(async () => {
  fails = () => false;
  username = `u${Math.random().toString(36).slice(2, 12)}`;
  session = createSession({ url, mode: "memory" });
  const input = { username, email: `${username}@example.com`, password };
  token = (await session.request(REGISTER, { input })).register;
  session.adopt(token);
  sent = [];
});

const refreshes = () => sent.filter(({ body }) => body.includes("mutation Refresh")).length;
const expire = () => session.adopt({ ...token, accessToken: expired });
const isCode = (code) => (error) => error instanceof GatehouseError && error.code === code;

test("starts signed out, and is signed in by a token", async () => {
  const other = createSession({ url, mode: "memory" });
  const seen = [];
  const remove = other.onChange((state) => seen.push(state.status));
  await other.ready;
  assert.deepEqual(other.state, { status: "signedOut" });
  other.adopt(token);
  remove();
  await other.signOut();
  assert.deepEqual(seen, ["signedIn"]);
  assert.deepEqual(session.state.user, { id: token.user.id, username });
  assert(Math.abs(session.state.expiresAt - Date.now() - token.expiresIn * 1000) < 10_000);
});

test("refreshes once for all requests that wait, and repeats each", async () => {
  expire();
  const answers = await Promise.all(Array.from({ length: 10 }, () => session.request(ME)));
  assert.deepEqual(new Set(answers.map(({ me }) => me.username)), new Set([username]));
  assert.equal(refreshes(), 1);
  assert(sent.length <= 21);
});

test("refreshes before a token expires", async () => {
  session.adopt({ ...token, expiresIn: 0.001 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await session.request(ME)).me.username, username);
  assert.equal(sent.length, 2);
  assert.notEqual(session.state.accessToken, token.accessToken);
});

test("does not refresh a token that is still good", async () => {
  await session.request(ME);
  assert.equal(sent.length, 1);
});

test("gives every response with its body", async () => {
  for (const Accept of ["application/json", "application/graphql-response+json", "*/*"]) {
    expire();
    const headers = { Accept, "Content-Type": "application/json" };
    const body = JSON.stringify({ query: ME });
    const response = await session.fetch(url, { method: "POST", headers, body });
    assert.equal(response.bodyUsed, false);
    assert.deepEqual(await response.json(), { data: { me: { username } } });
  }
});

test("hands on what is no JSON document, or a long one, before it ends", async () => {
  const real = globalThis.fetch;
  const types = ["multipart/mixed", "text/event-stream", "application/jsonl", "application/json"];
  for (const type of types) {
    const start = new TextEncoder().encode('{"errors":[{"extensions":{"code":"TOKEN_EXPIRED"}}]}');
    const chunk = type === "application/json" ? new Uint8Array(2 ** 21).fill(32) : start;
    // It never ends.
    const body = new ReadableStream({ start: (stream) => stream.enqueue(chunk) });
    globalThis.fetch = async () => new Response(body, { headers: { "Content-Type": type } });
    const response = await session.fetch(url);
    globalThis.fetch = real;
    const { value } = await response.body.getReader().read();
    assert.deepEqual(value, chunk);
  }
});

test("repeats a Request object too, and a route with status 401", async () => {
  expire();
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ query: ME });
  const response = await session.fetch(new Request(url, { method: "POST", headers, body }));
  assert.deepEqual(await response.json(), { data: { me: { username } } });
  expire();
  const userinfo = await session.fetch(new URL("userinfo", url));
  assert.equal((await userinfo.json()).preferred_username, username);
});

test("leaves a header of the caller alone", async () => {
  const headers = { Authorization: "Bearer nonsense", "Content-Type": "application/json" };
  const body = JSON.stringify({ query: ME });
  const response = await session.fetch(url, { method: "POST", headers, body });
  assert.equal((await response.json()).errors[0].extensions.code, "UNAUTHENTICATED");
  assert.equal(session.state.status, "signedIn");
  assert.equal(sent.length, 1);
});

test("sends no header of the cookie", async () => {
  await session.refresh();
  await session.request(ME);
  assert(sent.every(({ headers }) => !headers.has("Gatehouse-Session")));
});

test("a token that the server rejects is renewed once", async () => {
  session.adopt({ ...token, accessToken: "nonsense" });
  assert.equal((await session.request(ME)).me.username, username);
  assert.equal(sent.length, 3);
});

test("UNAUTHENTICATED ends the session", async () => {
  const other = createSession({ url, mode: "memory" });
  other.adopt((await other.request(LOGIN, { username, password })).login);
  await other.request("mutation { logoutEverywhere }");
  const seen = [];
  session.onChange(({ status }) => seen.push(status));
  await assert.rejects(session.request(ME), isCode("UNAUTHENTICATED"));
  assert.deepEqual(session.state, { status: "signedOut" });
  assert.deepEqual(seen, ["signedOut"]);
  // Without a session there is nothing to refresh.
  sent = [];
  await assert.rejects(session.request(ME), isCode("UNAUTHENTICATED"));
  assert.equal(sent.length, 1);
});

test("a sign-in needs no session, and a failed one ends none", async () => {
  await assert.rejects(
    session.request(LOGIN, { username, password: "wrong" }),
    isCode("INVALID_CREDENTIALS"),
  );
  assert.equal(session.state.status, "signedIn");
  expire();
  assert.equal((await session.request(LOGIN, { username, password })).login.user.username, username);
});

test("a network failure keeps the session", async () => {
  expire();
  fails = () => true;
  await assert.rejects(session.request(ME), isCode("UNAVAILABLE"));
  await assert.rejects(session.fetch(url), TypeError);
  fails = (body) => body.includes("Refresh");
  await assert.rejects(session.request(ME), isCode("TOKEN_EXPIRED"));
  await assert.rejects(session.refresh(), isCode("UNAVAILABLE"));
  assert.equal(session.state.status, "signedIn");
  fails = () => false;
  assert.equal((await session.request(ME)).me.username, username);
});

test("a rate limit keeps the session", async () => {
  const limited = createSession({ url: process.env.LIMITED_URL, mode: "memory" });
  limited.adopt((await limited.request(LOGIN, { username, password })).login);
  await limited.refresh();
  await assert.rejects(limited.refresh(), (error) => {
    assert(error.extensions.retryAfter > 0);
    return isCode("TOO_MANY_ATTEMPTS")(error);
  });
  assert.equal((await limited.request(ME)).me.username, username);
});

test("a lost answer to a refresh is asked for again", async () => {
  let isLost = false;
  const counting = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const response = await counting(input, init);
    if (isLost) throw new TypeError("The connection was lost.");
    return response;
  };
  isLost = true;
  await assert.rejects(session.refresh(), isCode("UNAVAILABLE"));
  isLost = false;
  await session.refresh();
  globalThis.fetch = counting;
  assert.equal((await session.request(ME)).me.username, username);
});

test("signing out ends the session on the server, whether its token has expired or not", async () => {
  for (const accessToken of [token.accessToken, expired]) {
    const { login } = await session.request(LOGIN, { username, password });
    session.adopt({ ...login, accessToken: accessToken === expired ? expired : login.accessToken });
    const signingOut = session.signOut();
    assert.deepEqual(session.state, { status: "signedOut" });
    await signingOut;
    session.adopt(login);
    await assert.rejects(session.request(ME), isCode("UNAUTHENTICATED"));
  }
});

test("signing out says if the server could not be reached", async () => {
  fails = () => true;
  await assert.rejects(session.signOut(), isCode("UNAVAILABLE"));
  assert.deepEqual(session.state, { status: "signedOut" });
});

test("an answer that arrives after signing out does not sign in", async () => {
  const refreshing = session.refresh();
  await session.signOut();
  await refreshing.catch(() => {});
  assert.deepEqual(session.state, { status: "signedOut" });
});

test("an error has a code, and messages by field", async () => {
  const input = { username: "?", email: "nowhere", password };
  await assert.rejects(session.request(REGISTER, { input }), (error) => {
    assert.equal(error.code, "INVALID_INPUT");
    assert.match(error.fields.username, /3 to 32/);
    assert.deepEqual(Object.keys(error.fields), Object.keys(error.extensions.fields));
    return error instanceof GatehouseError;
  });
  const lost = createSession({ url: new URL("nothing", url).href, mode: "memory" });
  await assert.rejects(lost.request(ME), isCode("UNAVAILABLE"));
});

test("hands out a token for a WebSocket", async () => {
  assert.equal(await session.accessToken(), token.accessToken);
  await session.signOut();
  assert.equal(await session.accessToken(), undefined);
});

test("a session by cookie waits for its browser where pages are rendered", async () => {
  const rendered = createSession({ url });
  assert.deepEqual(await rendered.ready, { status: "starting" });
  assert.throws(() => rendered.adopt(token), /cookie/);
  assert.equal(sent.length, 0);
});
