/**
 * Sign-ins with an identity provider, and accounts there that are linked. A provider sends the
 * browser back to `finish-sign-in`, and `comeBack` leads from there to the page that goes on.
 */

import { GatehouseError, type SessionState } from "@gatehouse/client";
import {
  finishLinking,
  finishSignIn,
  forgetReturn,
  type ProviderCode,
  signInWith,
  startLinking,
  takeReturn,
} from "@gatehouse/client/providers";
import { useEffect, useState } from "react";
import { PageError } from "./PageError";
import { proven } from "./proof";
import { navigate, pageAt } from "./router";
import { session } from "./session";
import { settings } from "./settings";
import { orSecondStep } from "./signIn";
import type { Texts } from "./texts/en";

/** Where a user has left for a provider. */
interface Origin {
  page: "login" | "sign-up" | "security";
  provider: string;
  /** The query and the fragment, such as the address to return to. */
  rest: string;
}

const redirectTo = new URL("finish-sign-in", location.href).href;

let code: ProviderCode | undefined;
let failure: unknown;

/** Take what a provider has sent out of the address, and lead to the page that goes on. */
export function comeBack(): void {
  const address = new URL(location.href);
  const page = pageAt(address);
  // The server does not know where the user has begun if the sign-in itself is not valid.
  const hasFailed = page === "login" && address.searchParams.has("error");
  if (page !== "finish-sign-in" && !hasFailed) return;
  const found = takeReturn();
  if (!found) return;
  const origin = found.state as Origin | undefined;
  if ("error" in found) {
    fail(failureOf(found.error, origin), origin);
    return;
  }
  code = found;
  const next = origin?.page === "security" ? "security" : "finish-sign-in";
  navigate(next + (origin?.rest ?? ""), { replace: true });
  if (next === "finish-sign-in") void session.ready.then(forgetIfSignedIn);
}

/** Forget a code that nothing will use, since another tab has signed in meanwhile. */
function forgetIfSignedIn({ status }: SessionState): void {
  if (status === "signedIn") forgetReturn();
}

/** Leave for a provider, to sign in. */
export async function goToProvider(provider: string, page: "login" | "sign-up"): Promise<void> {
  const state: Origin = { page, provider, rest: location.search + location.hash };
  await signInWith(session, provider, { redirectTo, state });
}

/** Leave for a provider, to link an account there. */
export async function goToLink(provider: string): Promise<void> {
  const state: Origin = { page: "security", provider, rest: "" };
  await proven(() => startLinking(session, provider, { redirectTo, state }));
}

/** The code that has come back. */
export function useProviderCode(): ProviderCode | undefined {
  return useState(() => code)[0];
}

/** Why a sign-in with a provider has failed. The page that is shown next says it, and no other. */
export function useProviderFailure(): unknown {
  const [shown] = useState(() => failure);
  useEffect(() => void (failure = undefined), []);
  return shown;
}

/**
 * Sign in with a code, or lead back to where the user has begun and say why. Throws what can be
 * tried again with the same code.
 */
export async function signInByProvider(found: ProviderCode, username?: string): Promise<void> {
  const origin = found.state as Origin;
  try {
    await using(() => orSecondStep(() => finishSignIn(session, found, username)));
  } catch (error) {
    if (code) throw error;
    fail(explained(error, origin), origin);
  }
}

/** Link the account of a code. */
export async function linkByProvider(found: ProviderCode): Promise<void> {
  try {
    await using(() => finishLinking(session, found));
  } catch (error) {
    throw explained(error, found.state as Origin);
  }
}

/** Forget the code, and lead to the sign-in. The address to return to stays. */
export function signInOtherwise(): void {
  forgetReturn();
  code = undefined;
  navigate(`login${location.search}${location.hash}`, { replace: true });
}

/** Return the name of a provider on buttons. */
export function labelOf(provider: string): string {
  return settings.providers.find(({ name }) => name === provider)?.label ?? provider;
}

/** Use the code, and forget it unless it is still good. */
async function using(run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } finally {
    if (!takeReturn()) code = undefined;
  }
}

function fail(error: unknown, origin: Origin | undefined): void {
  failure = error;
  navigate((origin?.page ?? "login") + (origin?.rest ?? ""), { replace: true });
}

function explained(error: unknown, origin: Origin): unknown {
  switch (error instanceof GatehouseError && error.code) {
    case "INVALID_CODE":
      return failureOf("invalid_sign_in", origin);
    case "EMAIL_TAKEN":
      return about(origin, ({ providers }, label) => providers.emailTaken(label));
    case "EMAIL_NOT_VERIFIED":
      return about(origin, ({ providers }, label) => providers.emailNotVerified(label));
    default:
      return error;
  }
}

/** Explain an `error` of the address. */
function failureOf(name: string, origin: Origin | undefined): PageError {
  return about(origin, ({ providers, errors }, label) => {
    const text = providers.failures[name];
    return text ? text(label) : errors.unexpected;
  });
}

function about(
  origin: Origin | undefined,
  text: (texts: Texts, label: string) => string,
): PageError {
  return new PageError((texts) =>
    text(texts, origin ? labelOf(origin.provider) : texts.providers.theProvider),
  );
}
