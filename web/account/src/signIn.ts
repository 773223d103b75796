/** Sign in, in one step or in two. */

import { isSecondFactorRequired } from "@gatehouse/client/second-factor";
import { keepChallenge } from "./challenge";
import { navigate } from "./router";
import { session } from "./session";

/** Sign in with a mutation, or show the page of the second step if one is due. */
export async function signIn(document: string, variables: Record<string, unknown>): Promise<void> {
  await orSecondStep(() => session.adoptFrom(document, variables));
}

/** Run a sign-in, and show the page of the second step if one is due. */
export async function orSecondStep(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isSecondFactorRequired(error)) throw error;
    keepChallenge(error.extensions.challenge);
    navigate(`second-factor${location.search}${location.hash}`);
  }
}
