import { TOKEN } from "./graphql.js";
import type { Session } from "./types.js";

/** A member of the schema's enum `SecondFactor`. */
export type SecondFactor = "TOTP" | "RECOVERY_CODE" | "PASSKEY";

/** What is missing for a sign-in whose first step was right. */
export interface SecondFactorChallenge {
  ticket: string;
  methods: SecondFactor[];
  /** In seconds. */
  expiresIn: number;
}

const PASS_SECOND_FACTOR = `mutation PassSecondFactor($ticket: String!, $code: String!) {
  passSecondFactor(ticket: $ticket, code: $code) { ${TOKEN} }
}`;

/** Return whether a sign-in needs a second step. Takes the error of any GraphQL client. */
export function isSecondFactorRequired(
  error: unknown,
): error is { extensions: { challenge: SecondFactorChallenge } } {
  const { extensions } = (error ?? {}) as { extensions?: { code?: unknown } };
  return extensions?.code === "SECOND_FACTOR_REQUIRED";
}

/**
 * Sign in with a code of the authenticator app or a recovery code, and the ticket of the challenge.
 * Throws a `GatehouseError`.
 */
export async function passSecondFactor(
  session: Session,
  ticket: string,
  code: string,
): Promise<void> {
  await session.adoptFrom(PASS_SECOND_FACTOR, { ticket, code });
}
