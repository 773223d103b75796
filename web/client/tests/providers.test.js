/**
 * Sign-ins with a provider, against the live server of GATEHOUSE_URL, whose provider `work` is the
 * OpenID provider of `clients/openid_provider.py`. `clients/test_client_package.py` starts both.
 */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { GatehouseError, createSession } from "@gatehouse/client";
import {
  finishLinking,
  finishSignIn,
  forgetReturn,
  isUsernameRequired,
  signInWith,
  startLinking,
  takeReturn,
} from "@gatehouse/client/providers";

const url = process.env.GATEHOUSE_URL;
const redirectTo = "https://app.example.com/signed-in";
const PROFILE = "query Me { me { username emailVerified identities { id provider email } } }";

// The parts of a page that a sign-in uses. Node.js has none of them.
const stored = new Map();
globalThis.sessionStorage = {
  getItem: (key) => stored.get(key) ?? null,
  setItem: (key, value) => void stored.set(key, value),
  removeItem: (key) => void stored.delete(key),
};
globalThis.document = { baseURI: redirectTo, addEventListener() {} };
globalThis.addEventListener = () => {};
globalThis.location = { href: redirectTo, assign: (to) => (location.href = to) };
globalThis.history = { state: null, replaceState: (_, __, to) => (location.href = String(to)) };

// What was sent to the server.
const network = globalThis.fetch;
let sent = [];
globalThis.fetch = (input, init) => {
  const name = /mutation (\w+)/.exec(String(init?.body))?.[1];
  if (name) sent.push(name);
  return network(input, init);
};

let session;
let login;
beforeEach(() => {
  stored.clear();
  sent = [];
  location.href = redirectTo;
  session = createSession({ url, mode: "memory" });
  login = `u${Math.random().toString(36).slice(2, 12)}`;
});

/** Follow the browser's way to the provider, its form, and back to the page. */
async function visit(entered = { login, email: `${login}@example.com`, verified: "on" }) {
  const cookies = new Map();
  let options = {};
  while (!location.href.startsWith(redirectTo)) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await network(location.href, {
      ...options,
      headers: { cookie },
      redirect: "manual",
    });
    for (const each of response.headers.getSetCookie()) {
      const [name, value] = each.split(";")[0].split("=");
      cookies.set(name, value);
    }
    const to = response.headers.get("Location");
    options = to ? {} : { method: "POST", body: new URLSearchParams(entered) };
    location.href = new URL(to ?? location.href, location.href).href;
  }
}

const refused = (promise) => promise.then(() => assert.fail("It should fail."), (error) => error);

async function signIn(session, username) {
  await signInWith(session, "work", { redirectTo });
  await visit();
  await finishSignIn(session, takeReturn(), username);
}

test("a new user chooses a username, and later comes back without one", async () => {
  await signInWith(session, "work", { redirectTo, state: { page: "inbox" } });
  assert(location.href.startsWith(new URL("sign-in/work?redirect_to=https", url).href));
  await visit();
  const found = takeReturn();
  assert.deepEqual(found.state, { page: "inbox" });
  const error = await refused(finishSignIn(session, found));
  assert(isUsernameRequired(error));
  assert.equal(error.extensions.suggestedUsername, login);
  const invalid = await refused(finishSignIn(session, found, "?"));
  assert(isUsernameRequired(invalid));
  await finishSignIn(session, found, login);
  assert.equal(session.state.user.username, login);
  const { me } = await session.request(PROFILE);
  assert.equal(me.emailVerified, true);
  assert.equal(me.identities[0].email, `${login}@example.com`);

  const other = createSession({ url, mode: "memory" });
  await signIn(other);
  assert.equal(other.state.user.id, session.state.user.id);
});

test("a code leaves the address at once, and the tab when it is used", async () => {
  await signInWith(session, "work", { redirectTo });
  await visit();
  assert.match(location.href, /\?code=/);
  const found = takeReturn();
  assert.equal(location.href, redirectTo);
  // As after a reload.
  assert.deepEqual(takeReturn(), found);
  await finishSignIn(session, found, login);
  assert.equal(stored.size, 0);
  assert.equal(takeReturn(), undefined);
});

test("what is asked for twice is sent once", async () => {
  await signInWith(session, "work", { redirectTo });
  await visit();
  const found = takeReturn();
  await Promise.all([finishSignIn(session, found, login), finishSignIn(session, found, login)]);
  assert.deepEqual(sent, ["FinishSignIn"]);
  const error = await refused(finishSignIn(session, found, login));
  assert.equal(error.code, "INVALID_CODE");
});

test("a network that fails leaves the code for another try", async () => {
  await signInWith(session, "work", { redirectTo });
  await visit();
  const found = takeReturn();
  const nowhere = createSession({ url: "http://127.0.0.1:9/graphql", mode: "memory" });
  const error = await refused(finishSignIn(nowhere, found, login));
  assert.equal(error.code, "UNAVAILABLE");
  assert.deepEqual(takeReturn(), found);
});

test("a code that the tab did not begin is not sent", async () => {
  location.href = `${redirectTo}?code=of-someone-else&tab=2`;
  assert.deepEqual(takeReturn(), { error: "invalid_sign_in", state: undefined });
  assert.equal(location.href, `${redirectTo}?tab=2`);
});

test("a user who cancels comes back with an error and the state", async () => {
  await signInWith(session, "work", { redirectTo, state: "inbox" });
  await visit({ cancel: "yes" });
  assert.deepEqual(takeReturn(), { error: "access_denied", state: "inbox" });
  assert.equal(location.href, redirectTo);
  assert.equal(takeReturn(), undefined);
});

test("a code can be forgotten", async () => {
  await signInWith(session, "work", { redirectTo });
  await visit();
  takeReturn();
  forgetReturn();
  assert.equal(takeReturn(), undefined);
});

test("a signed-in user links an account, which then signs in", async () => {
  const password = "analytical engine";
  const input = { username: login, email: `${login}@example.org`, password };
  const REGISTER = `mutation Register($input: RegisterInput!) {
    register(input: $input) { accessToken refreshToken expiresIn user { id username } }
  }`;
  await session.adoptFrom(REGISTER, { input });
  await startLinking(session, "work", { redirectTo, state: "security" });
  await visit();
  const found = takeReturn();
  assert.equal(found.state, "security");
  const identity = await finishLinking(session, found);
  assert.deepEqual([identity.provider, identity.email], ["work", `${login}@example.com`]);
  assert.equal(stored.size, 0);

  const other = createSession({ url, mode: "memory" });
  await signIn(other);
  assert.equal(other.state.user.username, login);
});

test("a link that cannot begin leaves the page where it is", async () => {
  const error = await refused(startLinking(session, "work", { redirectTo }));
  assert(error instanceof GatehouseError && error.code === "UNAUTHENTICATED");
  assert.equal(location.href, redirectTo);
  assert.equal(stored.size, 0);
});

test("other errors are not taken for a missing username", () => {
  for (const error of [undefined, null, "no", new Error("no"), new GatehouseError("no", {})]) {
    assert.equal(isUsernameRequired(error), false);
  }
  // As Apollo Client and graphql-request have them.
  assert(isUsernameRequired({ message: "", extensions: { fields: { username: ["Choose one."] } } }));
});
