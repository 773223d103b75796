/** Sign in, in one step or in two. */

import { isSecondFactorRequired } from "@gatehouse/client/second-factor";
import { keepChallenge } from "./challenge";
import { navigate } from "./router";
import { session } from "./session";

/** Sign in with a mutation, or show the page of the second step if one is due. */
export async function signIn(document: string, variables: Record<string, unknown>): Promise<void> {
  try {
    await session.adoptFrom(document, variables);
  } catch (error) {
    if (!isSecondFactorRequired(error)) throw error;
    keepChallenge(error.extensions.challenge);
    navigate(`second-factor${location.search}${location.hash}`);
  }
}
