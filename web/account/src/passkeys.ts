/** Passkeys on these pages. */

import { GatehouseError } from "@gatehouse/client";
import {
  canOfferPasskeys,
  canUsePasskeys,
  createPasskey,
  reauthenticateWithPasskey,
  signInWithPasskey,
  signalAcceptedPasskeys,
} from "@gatehouse/client/passkeys";
import { useEffect, useRef, useState } from "react";
import type { Account } from "./operations";
import { PageError } from "./PageError";
import { proven } from "./proof";
import { session } from "./session";
import { settings } from "./settings";

/** Whether the server, this page and this browser can use passkeys. */
export const hasPasskeys = settings.passkeys !== null && canUsePasskeys(settings.passkeys);

/** Sign in with a passkey that the user chooses in a dialog of the browser. */
export async function signInByPasskey(): Promise<void> {
  await used(signInWithPasskey(session));
}

export async function proveByPasskey(): Promise<void> {
  await used(reauthenticateWithPasskey(session));
}

export async function addPasskey(): Promise<void> {
  try {
    const passkey = await proven(() => createPasskey(session));
    if (!passkey) throw new PageError(({ passkeys }) => passkeys.notCreated);
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    const isHere = error.name === "InvalidStateError";
    throw new PageError(({ passkeys }) => (isHere ? passkeys.alreadyHere : passkeys.notCreated));
  }
}

/** Tell the browser which passkeys are left, so that it offers no others. */
export async function signalPasskeys(account: Account | undefined): Promise<void> {
  if (hasPasskeys && account) await signalAcceptedPasskeys(account.factors.acceptedPasskeys);
}

/**
 * Let the browser offer passkeys where it fills in the username, while a page is shown. `stop` it
 * before the user signs in otherwise, and `start` it again if that fails.
 */
export function usePasskeyAutofill() {
  const [error, setError] = useState<unknown>();
  const offer = useRef<AbortController>(undefined);

  function stop() {
    offer.current?.abort();
  }

  function start() {
    stop();
    offer.current = new AbortController();
    void offerPasskeys(offer.current.signal, setError);
  }

  useEffect(() => {
    start();
    return stop;
  }, []);

  return { error, start, stop };
}

/** Offer passkeys until one signs in. Errors are shown once the user has chosen one. */
async function offerPasskeys(signal: AbortSignal, onError: (error: unknown) => void) {
  if (!hasPasskeys || !(await canOfferPasskeys())) return;
  let hasChosen = true;
  while (hasChosen && !signal.aborted) {
    hasChosen = false;
    const onChosen = () => {
      hasChosen = true;
      onError(undefined);
    };
    try {
      if (await signInWithPasskey(session, { conditional: true, signal, onChosen })) return;
    } catch (error) {
      if (hasChosen) onError(explained(error));
    }
  }
}

async function used(asking: Promise<boolean>): Promise<void> {
  const isUsed = await asking.catch((error: unknown) => {
    throw explained(error);
  });
  if (!isUsed) throw new PageError(({ factors }) => factors.passkeyNotUsed);
}

function explained(error: unknown): unknown {
  if (error instanceof DOMException) return new PageError(({ factors }) => factors.passkeyNotUsed);
  const isWrong = error instanceof GatehouseError && error.code === "INVALID_CODE";
  return isWrong ? new PageError(({ factors }) => factors.wrongPasskey) : error;
}
