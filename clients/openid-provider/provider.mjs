// A certified OpenID provider, npm's oidc-provider, with a client for each algorithm of ID tokens, and
// users who exist as soon as they log in. Each start has keys of its own. The environment configures
// it.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";

import Provider from "oidc-provider";

const { PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT_URIS, CLAIMS_IN_TOKEN } = process.env;

const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];

function key(type, options, alg) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: randomUUID() };
}

// What users have entered in the form, by their login.
const accounts = new Map();

const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  clients: ALGORITHMS.map((algorithm) => ({
    client_id: `${CLIENT_ID}-${algorithm}`,
    client_secret: CLIENT_SECRET,
    redirect_uris: REDIRECT_URIS.split(" "),
    id_token_signed_response_alg: algorithm,
  })),
  jwks: {
    keys: [
      key("rsa", { modulusLength: 2048 }, "RS256"),
      key("rsa", { modulusLength: 2048 }, "PS256"),
      key("ec", { namedCurve: "P-256" }, "ES256"),
      key("ed25519", {}, "EdDSA"),
    ],
  },
  enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
  claims: {
    openid: ["sub"],
    email: ["email", "email_verified"],
    profile: ["preferred_username"],
  },
  // Without this, userinfo has the claims, and the token has none.
  conformIdTokenClaims: !CLAIMS_IN_TOKEN,
  cookies: { keys: [randomUUID()] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) }),
  interactions: { url: (_, { uid }) => `/interaction/${uid}` },
  pkce: { required: () => true },
});

const FORM = `<!doctype html>
<html lang="en">
  <head><title>Sign in</title><link rel="icon" href="data:," /></head>
  <body>
    <form method="post">
      <label>Login <input name="login" /></label>
      <label>Email <input name="email" /></label>
      <label><input name="verified" type="checkbox" checked /> verified</label>
      <button>Continue</button>
      <button name="cancel" value="yes">Cancel</button>
    </form>
  </body>
</html>`;

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) {
    return next();
  }
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method === "GET") {
    ctx.type = "html";
    ctx.body = FORM;
    return;
  }
  const entered = new URLSearchParams(await text(ctx.req));
  const result = entered.has("cancel")
    ? { error: "access_denied", error_description: "The user cancelled." }
    : await logIn(entered, params);
  ctx.status = 303;
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
});

async function logIn(entered, params) {
  const accountId = entered.get("login");
  accounts.set(accountId, {
    email: entered.get("email") || undefined,
    email_verified: entered.has("verified"),
    preferred_username: accountId,
  });
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return { login: { accountId }, consent: { grantId: await grant.save() } };
}

provider.listen(Number(PORT), "127.0.0.1");
