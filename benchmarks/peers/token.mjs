// The access token, which every JavaScript peer verifies in the same way: with the library of
// Fastify's own plugin, which remembers verified tokens, as Gatehouse does. (jsonwebtoken takes 430
// microseconds of Node's time for each.)
import { createSigner, createVerifier } from "fast-jwt";

const { SECRET_KEY: key } = process.env;

const verify = createVerifier({ key, algorithms: ["HS256"], allowedAud: "gatehouse", cache: true });
const sign = createSigner({ key, aud: "gatehouse", expiresIn: 1_800_000 });

export function userOf(authorization) {
  return verify(authorization.slice("Bearer ".length)).sub;
}

export function accessToken(userId) {
  return sign({ sub: userId });
}
