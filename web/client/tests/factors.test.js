/**
 * Second factors and proofs of a session in memory, against the live server of GATEHOUSE_URL, which
 * signs its tokens with SECRET_KEY. `clients/test_client_package.py` starts it.
 */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { beforeEach, test } from "node:test";
import { GatehouseError, createSession } from "@gatehouse/client";
import {
  isReauthenticationRequired,
  reauthenticate,
  withProof,
} from "@gatehouse/client/proof";
import { isSecondFactorRequired, passSecondFactor } from "@gatehouse/client/second-factor";

const url = process.env.GATEHOUSE_URL;
const expired = process.env.EXPIRED_TOKEN;
const password = "analytical engine";
const TOKEN = "accessToken refreshToken expiresIn user { id username }";
const REGISTER = `mutation Register($input: RegisterInput!) { register(input: $input) { ${TOKEN} } }`;
const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { ${TOKEN} }
}`;
const ME = "query Me { me { username } }";
const DELETE = "mutation Delete { deleteMe }";

// The network: what is sent over it and answered, and in which order.
const network = globalThis.fetch;
let order = [];
globalThis.fetch = async (input, init) => {
  const name = /(?:mutation|query) (\w+)/.exec(String(init?.body))?.[1];
  order.push(`${name} sent`);
  const response = await network(input, init);
  order.push(`${name} answered`);
  return response;
};

let session;
let username;
beforeEach(async () => {
  session = createSession({ url, mode: "memory" });
  username = await signUp(session);
  order = [];
});

async function signUp(session) {
  const username = `u${Math.random().toString(36).slice(2, 12)}`;
  const input = { username, email: `${username}@example.com`, password };
  await session.adoptFrom(REGISTER, { input });
  return username;
}

/** Set up an authenticator app, and return the recovery codes. */
async function setUpApp() {
  const { startTotp } = await session.request("mutation Start { startTotp { secret } }");
  const confirm = "mutation Confirm($code: String!) { confirmTotp(code: $code) }";
  const code = codeOf(startTotp.secret);
  return (await session.request(confirm, { code })).confirmTotp;
}

function codeOf(secret) {
  const bits = [...secret]
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"))
    .join("");
  const seed = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", seed).update(step).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** Return an access token as the server would have issued it before the sign-in. */
function older(token) {
  const [header, payload] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url"));
  const before = Buffer.from(JSON.stringify({ ...claims, iat: claims.iat - 60 }));
  const signed = `${header}.${before.toString("base64url")}`;
  const signature = createHmac("sha256", process.env.SECRET_KEY).update(signed);
  return `${signed}.${signature.digest("base64url")}`;
}

const isCode = (code) => (error) => error instanceof GatehouseError && error.code === code;
const refused = (promise) => promise.then(() => assert.fail("It should fail."), (error) => error);

test("adoptFrom signs in, returns the data, and an error changes nothing", async () => {
  const other = createSession({ url, mode: "memory" });
  await assert.rejects(
    other.adoptFrom(LOGIN, { username, password: "wrong" }),
    isCode("INVALID_CREDENTIALS"),
  );
  assert.deepEqual(other.state, { status: "signedOut" });
  const { login } = await other.adoptFrom(LOGIN, { username, password });
  assert.equal(login.user.username, username);
  assert.equal(other.state.accessToken, login.accessToken);
});

test("adoptFrom renews an access token that has expired, and repeats the mutation", async () => {
  const { login } = await session.request(LOGIN, { username, password });
  session.adopt({ ...login, accessToken: expired });
  await reauthenticate(session, { password });
  assert.deepEqual(
    order.filter((each) => each.endsWith("sent")).slice(1),
    ["Reauthenticate sent", "Refresh sent", "Reauthenticate sent"],
  );
  assert.equal((await session.request(ME)).me.username, username);
});

test("the code of an app or a recovery code is the second step", async () => {
  const [recoveryCode] = await setUpApp();
  const other = createSession({ url, mode: "memory" });
  const error = await refused(other.adoptFrom(LOGIN, { username, password }));
  assert(isSecondFactorRequired(error));
  const { ticket, methods, expiresIn } = error.extensions.challenge;
  assert.deepEqual([methods, expiresIn], [["TOTP", "RECOVERY_CODE"], 600]);
  assert.deepEqual(other.state, { status: "signedOut" });
  await assert.rejects(passSecondFactor(other, ticket, "000000"), isCode("INVALID_CODE"));
  await passSecondFactor(other, ticket, recoveryCode);
  assert.equal((await other.request(ME)).me.username, username);
});

test("other errors are not taken for a second step or a proof", () => {
  for (const error of [undefined, null, "no", new Error("no"), new GatehouseError("no", {})]) {
    assert.equal(isSecondFactorRequired(error), false);
    assert.equal(isReauthenticationRequired(error), false);
  }
  // As Apollo Client and graphql-request have them.
  const plain = { message: "", extensions: { code: "REAUTHENTICATION_REQUIRED", methods: [] } };
  assert(isReauthenticationRequired(plain));
});

test("a wrong proof keeps the session, and a right one renews its tokens", async () => {
  const before = session.state.accessToken;
  await assert.rejects(reauthenticate(session, { password: "wrong" }), (error) => {
    assert.match(error.fields.password, /wrong/);
    return isCode("INVALID_CREDENTIALS")(error);
  });
  assert.equal(session.state.accessToken, before);
  await reauthenticate(session, { password });
  assert.notEqual(session.state.accessToken, before);
  await session.refresh();
  assert.equal((await session.request(ME)).me.username, username);
});

test("a refresh and a proof at one time go one after the other, in either order", async () => {
  await Promise.all([session.refresh(), reauthenticate(session, { password })]);
  assert.deepEqual(order, [
    "Refresh sent",
    "Refresh answered",
    "Reauthenticate sent",
    "Reauthenticate answered",
  ]);
  order = [];
  const seen = [];
  session.onChange(({ status }) => seen.push(status));
  const proving = reauthenticate(session, { password });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(order, ["Reauthenticate sent"]);
  await Promise.all([session.refresh(), proving]);
  // The new tokens make the refresh needless.
  assert.deepEqual(order, ["Reauthenticate sent", "Reauthenticate answered"]);
  assert.deepEqual(seen, ["signedIn"]);
});

test("the new tokens are taken over before the next refresh, however slow their body is", async () => {
  const real = globalThis.fetch;
  let release;
  const held = new Promise((resolve) => (release = resolve));
  globalThis.fetch = async (input, init) => {
    const response = await real(input, init);
    if (!String(init?.body).includes("Reauthenticate")) return response;
    const text = await response.text();
    const body = new ReadableStream({
      async start(stream) {
        await held;
        stream.enqueue(new TextEncoder().encode(text));
        stream.close();
      },
    });
    return new Response(body, { headers: response.headers });
  };
  const proving = reauthenticate(session, { password });
  while (!order.includes("Reauthenticate answered")) await new Promise((go) => setImmediate(go));
  const refreshing = session.refresh();
  release();
  await Promise.all([proving, refreshing]);
  globalThis.fetch = real;
  assert.equal(order.includes("Refresh sent"), false);
  assert.equal((await session.request(ME)).me.username, username);
});

test("signing out while a proof is under way signs out", async () => {
  const proving = reauthenticate(session, { password });
  await new Promise((resolve) => setImmediate(resolve));
  await session.signOut();
  await proving.catch(() => {});
  assert.deepEqual(session.state, { status: "signedOut" });
});

test("withProof repeats an operation once, after a proof", async () => {
  const { login } = await session.request(LOGIN, { username, password });
  session.adopt({ ...login, accessToken: older(login.accessToken) });
  const asked = [];
  const { deleteMe } = await withProof(
    () => session.request(DELETE),
    async (methods) => {
      asked.push(methods);
      await reauthenticate(session, { password });
    },
  );
  assert(deleteMe);
  assert.deepEqual(asked, [["PASSWORD"]]);
  assert.equal(order.filter((each) => each === "Delete sent").length, 2);
});

test("withProof throws what is not about a proof, and what a cancelled proof throws", async () => {
  const run = async () => {
    throw new GatehouseError("It is gone.", { code: "NOT_FOUND" });
  };
  await assert.rejects(withProof(run, assert.fail), isCode("NOT_FOUND"));
  const needing = async () => {
    throw new GatehouseError("Prove it.", { code: "REAUTHENTICATION_REQUIRED", methods: [] });
  };
  const cancel = async () => {
    throw new Error("cancelled");
  };
  await assert.rejects(withProof(needing, cancel), /cancelled/);
  await assert.rejects(withProof(needing, async () => {}), isCode("REAUTHENTICATION_REQUIRED"));
});
