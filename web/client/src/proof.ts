import { TOKEN } from "./graphql.js";
import type { Session } from "./types.js";

/** A member of the schema's enum `ReauthenticationMethod`. */
export type ReauthenticationMethod = "PASSWORD" | "TOTP" | "RECOVERY_CODE" | "PASSKEY" | "SIGN_IN";

/** The answer of a passkey to a request of the server. */
export interface PasskeyAnswer {
  ticket: string;
  /** What the credential's `toJSON` returned. */
  credential: unknown;
}

/** What proves who a user is. `code` is of the authenticator app, or a recovery code. */
export type Proof = { password: string } | { code: string } | { passkey: PasskeyAnswer };

const REAUTHENTICATE = `mutation Reauthenticate($input: ReauthenticateInput!) {
  reauthenticate(input: $input) { ${TOKEN} }
}`;

/** Return whether an operation needs a proof. Takes the error of any GraphQL client. */
export function isReauthenticationRequired(
  error: unknown,
): error is { extensions: { methods: ReauthenticationMethod[] } } {
  const { extensions } = (error ?? {}) as { extensions?: { code?: unknown } };
  return extensions?.code === "REAUTHENTICATION_REQUIRED";
}

/**
 * Prove again who the user is, and continue with the new tokens of the session, in all tabs. Throws
 * a `GatehouseError`.
 */
export async function reauthenticate(session: Session, input: Proof): Promise<void> {
  await session.adoptFrom(REAUTHENTICATE, { input });
}

/**
 * Run an operation, and once more after a proof if it needs one. `prove` gets the methods that the
 * user can choose from, calls `reauthenticate`, and throws if the user cancels.
 */
export async function withProof<T>(
  run: () => Promise<T>,
  prove: (methods: ReauthenticationMethod[]) => Promise<unknown>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isReauthenticationRequired(error)) throw error;
    await prove(error.extensions.methods);
    return run();
  }
}
