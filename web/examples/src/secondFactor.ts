/**
 * A sign-in in two steps, and a proof before a change that needs one:
 * `npm run program src/secondFactor.ts <url>`. Exits with an error if a result is not as expected.
 */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createSession } from "@gatehouse/client";
import { reauthenticate, withProof } from "@gatehouse/client/proof";
import { isSecondFactorRequired, passSecondFactor } from "@gatehouse/client/second-factor";
import { print } from "graphql";
import { CONFIRM_TOTP, LOGIN, REGISTER, REMOVE_TOTP, START_TOTP } from "./operations";
import { withoutClient } from "./sessionClients";

const [url = ""] = process.argv.slice(2);
const session = createSession({ url, mode: "memory" });
const execute = withoutClient(session);
const username = "user-second-factor";
const password = "analytical engine";

/** Sign in. `ask` asks the user for a code, if one is due. */
async function logIn(ask: (methods: string[]) => Promise<string>): Promise<void> {
  try {
    await session.adoptFrom(print(LOGIN), { username, password });
  } catch (error) {
    if (!isSecondFactorRequired(error)) throw error;
    const { ticket, methods } = error.extensions.challenge;
    await passSecondFactor(session, ticket, await ask(methods));
  }
}

// Sign up, and set up an authenticator app.
const input = { username, email: `${username}@example.com`, password };
await session.adoptFrom(print(REGISTER), { input });
const { startTotp } = await execute(START_TOTP, {});
const { confirmTotp } = await execute(CONFIRM_TOTP, { code: codeOf(startTotp.secret) });
assert.equal(confirmTotp.length, 10);
await session.signOut();

// The password alone does not sign in any more.
const asked: string[][] = [];
await logIn(async (methods) => {
  asked.push(methods);
  return confirmTotp[0] ?? "";
});
assert.deepEqual(asked, [["TOTP", "RECOVERY_CODE"]]);
assert.equal(session.state.user?.username, username);

// Within ten minutes of the sign-in, no proof is asked for.
const { removeTotp } = await withProof(
  () => execute(REMOVE_TOTP, {}),
  () => reauthenticate(session, { code: confirmTotp[1] ?? "" }),
);
assert.equal(removeTotp.factors.totp, false);

console.log("signs in with a second factor");

/** Return the code that an app shows for a secret in base32 (RFC 6238). */
function codeOf(secret: string): string {
  const letters = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter));
  const bits = letters.map((value) => value.toString(2).padStart(5, "0")).join("");
  const seed = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", seed).update(step).digest();
  const number = digest.readUInt32BE((digest[19] ?? 0) & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}
