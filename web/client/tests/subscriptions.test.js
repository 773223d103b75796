/**
 * Subscriptions of a session in memory, against the live server of GATEHOUSE_URL, and against
 * servers that close connections. `clients/test_client_package.py` starts the first.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, beforeEach, test } from "node:test";
import { GatehouseError, createSession } from "@gatehouse/client";
import { subscribe } from "@gatehouse/client/subscriptions";
import { WebSocket, WebSocketServer } from "ws";

const url = process.env.GATEHOUSE_URL;
const expired = process.env.EXPIRED_TOKEN;
const password = "analytical engine";
const TOKEN = "accessToken refreshToken expiresIn user { id username }";
const REGISTER = `mutation Register($input: RegisterInput!) { register(input: $input) { ${TOKEN} } }`;
const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { ${TOKEN} }
}`;
const CHANGE_PASSWORD = `mutation Change($newPassword: String!) {
  changePassword(newPassword: $newPassword) { ${TOKEN} }
}`;
const EVENTS = `subscription Events($kinds: [SecurityEventKind!]) {
  securityEvents(kinds: $kinds) { kind }
}`;
const ME = "subscription Me { me { username } }";

// Node has one from version 22.
const sockets = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...options) {
    super(...options);
    sockets.push({ socket: this, at: Date.now() });
  }
};

let session;
let token;
let username;
let closing = [];
beforeEach(async () => {
  username = `u${Math.random().toString(36).slice(2, 12)}`;
  session = createSession({ url, mode: "memory" });
  const input = { username, email: `${username}@example.com`, password };
  token = (await session.request(REGISTER, { input })).register;
  session.adopt(token);
  sockets.length = 0;
});
afterEach(() => {
  for (const close of closing) close();
  closing = [];
});

/** Subscribe, and wait for what happens: `connected`, `next` with its data, or `ended`. */
function watch(query = EVENTS, { of = session, variables } = {}) {
  const happened = [];
  let told = () => {};
  const tell = (what) => {
    happened.push(what);
    told();
  };
  const stop = subscribe(of, query, {
    ...(variables && { variables }),
    next: (data) => tell({ next: data }),
    connected: () => tell("connected"),
    ended: (error) => tell({ ended: error }),
  });
  closing.push(stop);
  const next = async () => {
    while (!happened.length) await new Promise((resolve) => (told = resolve));
    return happened.shift();
  };
  return { stop, next, happened };
}

async function logInElsewhere() {
  const other = createSession({ url, mode: "memory" });
  await other.adoptFrom(LOGIN, { username, password });
  return other;
}

const codeOf = ({ ended }) => {
  assert(ended instanceof GatehouseError, String(ended));
  return ended.code;
};

test("events arrive as they happen, over one socket", async () => {
  const all = watch();
  const some = watch(EVENTS, { variables: { kinds: ["SESSION_ENDED"] } });
  assert.deepEqual([await all.next(), await some.next()], ["connected", "connected"]);
  const other = await logInElsewhere();
  await other.signOut();
  assert.deepEqual(await all.next(), { next: { securityEvents: { kind: "LOGGED_IN" } } });
  assert.deepEqual(await all.next(), { next: { securityEvents: { kind: "SESSION_ENDED" } } });
  assert.deepEqual(await some.next(), { next: { securityEvents: { kind: "SESSION_ENDED" } } });
  assert.equal(sockets.length, 1);
});

test("the socket closes when the last subscription ends", async () => {
  const [one, two] = [watch(), watch(ME)];
  await one.next();
  await two.next();
  const [{ socket }] = sockets;
  const closed = once(socket, "close");
  one.stop();
  assert.deepEqual(await two.next(), { next: { me: { username } } });
  assert.equal(socket.readyState, WebSocket.OPEN);
  two.stop();
  await closed;
  assert.deepEqual(one.happened, []);
  assert.deepEqual(two.happened, []);
});

test("a subscription that replaces the last one keeps the socket", async () => {
  const one = watch();
  await one.next();
  one.stop();
  const two = watch(ME);
  assert.equal(await two.next(), "connected");
  assert.deepEqual(await two.next(), { next: { me: { username } } });
  assert.equal(sockets.length, 1);
});

test("a session that is ended elsewhere ends its subscriptions and is signed out", async () => {
  const [one, two] = [watch(), watch(EVENTS)];
  await one.next();
  await two.next();
  const other = await logInElsewhere();
  assert.ok((await one.next()).next);
  assert.ok((await two.next()).next);
  const started = Date.now();
  await other.request("mutation { logoutEverywhere(exceptThis: true) }");
  assert.equal(codeOf(await one.next()), "UNAUTHENTICATED");
  assert.equal(codeOf(await two.next()), "UNAUTHENTICATED");
  assert(Date.now() - started < 5_000);
  assert.equal(session.state.status, "signedOut");
  assert.equal(sockets.length, 1);
});

test("signing out ends the subscriptions", async () => {
  const one = watch();
  await one.next();
  await session.signOut();
  assert.equal(codeOf(await one.next()), "UNAUTHENTICATED");
  const late = watch();
  assert.equal(codeOf(await late.next()), "UNAUTHENTICATED");
  assert.equal(sockets.length, 1);
});

test("an expired token is replaced, and the subscription continues", async () => {
  session.adopt({ ...token, accessToken: expired });
  const one = watch(ME);
  assert.equal(await one.next(), "connected");
  assert.equal(await one.next(), "connected");
  assert.deepEqual(await one.next(), { next: { me: { username } } });
  assert.notEqual(session.state.accessToken, expired);
  assert.equal(sockets.length, 2);
});

test("a change of the password starts another session, and the subscription continues", async () => {
  const one = watch(ME);
  await one.next();
  await one.next();
  await session.adoptFrom(CHANGE_PASSWORD, { newPassword: "another engine" });
  let happened;
  do happened = await one.next();
  while (happened !== "connected");
  assert.deepEqual(await one.next(), { next: { me: { username } } });
  assert.equal(session.state.status, "signedIn");
});

test("another user who signs in gets their own events", async () => {
  const one = watch(ME);
  await one.next();
  await one.next();
  const name = `${username}x`;
  const input = { username: name, email: `${name}@example.com`, password };
  await session.adoptFrom(REGISTER, { input });
  assert.equal(await one.next(), "connected");
  assert.deepEqual(await one.next(), { next: { me: { username: name } } });
});

test("a lost connection is opened again, but not at once", async () => {
  const one = watch(ME);
  await one.next();
  await one.next();
  const lost = Date.now();
  sockets[0].socket.terminate();
  assert.equal(await one.next(), "connected");
  assert.deepEqual(await one.next(), { next: { me: { username } } });
  assert(sockets[1].at - lost >= 450);
});

test("an error of one subscription leaves the others alone", async () => {
  const [bad, good] = [watch("subscription { nothing }"), watch(ME)];
  assert.equal(await bad.next(), "connected");
  assert.equal(codeOf(await bad.next()), "GRAPHQL_VALIDATION_FAILED");
  assert.equal(await good.next(), "connected");
  assert.deepEqual(await good.next(), { next: { me: { username } } });
  assert.equal(sockets.length, 1);
});

test("a quota of the server ends a subscription with its code", async () => {
  const ten = Array.from({ length: 10 }, () => watch());
  for (const one of ten) await one.next();
  const more = watch();
  assert.equal(await more.next(), "connected");
  assert.equal(codeOf(await more.next()), "QUOTA_EXCEEDED");
});

// ---- Servers that close connections ----

/** A server that acknowledges a connection, and then does what the test says. */
async function serve(act) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  let connections = 0;
  server.on("connection", (socket) => {
    const number = ++connections;
    socket.on("message", (data) => {
      const message = JSON.parse(data);
      const answer = (each) => socket.send(JSON.stringify(each));
      if (message.type === "connection_init") answer({ type: "connection_ack" });
      act({ message, socket, answer, number });
    });
  });
  closing.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const other = createSession({ url: `http://127.0.0.1:${server.address().port}/`, mode: "memory" });
  other.adopt(token);
  return other;
}

for (const code of [1008, 4400, 4406, 4429]) {
  test(`code ${code} ends the subscriptions`, async () => {
    const of = await serve(({ message, socket }) => {
      if (message.type === "subscribe") socket.close(code, "Too much.");
    });
    const one = watch(ME, { of });
    assert.equal(await one.next(), "connected");
    const { ended } = await one.next();
    assert.equal(ended.extensions.closeCode, code);
    assert.match(ended.message, /Too much\./);
    assert.equal(sockets.length, 1);
  });
}

test("the time before a connection doubles, also after code 1000", async () => {
  const of = await serve(({ message, socket, answer, number }) => {
    if (message.type !== "subscribe") return;
    if (number < 4) socket.close([1012, 1001, 1000][number - 1]);
    else answer({ id: message.id, type: "complete" });
  });
  const one = watch(ME, { of });
  let happened;
  do happened = await one.next();
  while (happened === "connected");
  assert.deepEqual(happened, { ended: undefined });
  const waited = sockets.slice(1).map(({ at }, index) => at - sockets[index].at);
  assert.equal(waited.length, 3);
  for (const [index, least] of [500, 1000, 2000].entries()) {
    assert(waited[index] >= least * 0.9 && waited[index] < least * 2 + 1000, String(waited));
  }
});

test("a server that is silent is given up", async (context) => {
  let pinged;
  const ping = new Promise((resolve) => (pinged = resolve));
  const of = await serve(({ message, answer, number }) => {
    if (message.type === "ping") pinged();
    if (message.type === "subscribe" && number > 1) answer({ id: message.id, type: "complete" });
  });
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const one = watch(ME, { of });
  assert.equal(await one.next(), "connected");
  context.mock.timers.tick(30_000);
  await ping;
  assert.equal(sockets.length, 1);
  context.mock.timers.tick(10_000);
  context.mock.timers.tick(1_000);
  assert.equal(await one.next(), "connected");
  assert.deepEqual(await one.next(), { ended: undefined });
  assert.equal(sockets.length, 2);
});

test("pings of the server are answered", async () => {
  const of = await serve(({ message, answer }) => {
    if (message.type === "subscribe") answer({ type: "ping" });
    if (message.type === "pong") answer({ id: "1", type: "complete" });
  });
  const one = watch(ME, { of });
  assert.equal(await one.next(), "connected");
  assert.deepEqual(await one.next(), { ended: undefined });
});
