import { GatehouseError, TOKEN } from "./graphql.js";
import { type PasskeyAnswer, reauthenticate } from "./proof.js";
import type { Session } from "./types.js";

export interface Passkey {
  id: string;
  name: string;
  /** Whether the user's other devices have it too. */
  isSynced: boolean;
  createdAt: string;
  lastUsedAt: string | null;
}

/** What `me { factors { acceptedPasskeys } }` returns. */
export interface AcceptedPasskeys {
  rpId: string;
  userId: string;
  allAcceptedCredentialIds: string[];
}

export interface SignInOptions {
  /** Let the browser offer passkeys where it fills in usernames, and wait for the user. */
  conditional?: boolean;
  signal?: AbortSignal;
  /** Called when the user has chosen a passkey, before the server is asked. */
  onChosen?: () => void;
}

interface PasskeyRequest<Options> {
  ticket: string;
  options: Options;
}

interface SignInRequest extends PasskeyRequest<PublicKeyCredentialRequestOptionsJSON> {
  /** In milliseconds since 1970. */
  expiresAt: number;
}

const START_SIGN_IN = "mutation StartPasskeySignIn { startPasskeySignIn { ticket options } }";
const SIGN_IN = `mutation SignInByPasskey($answer: PasskeyAnswer!) {
  signInByPasskey(answer: $answer) { ${TOKEN} }
}`;
const START = "mutation StartPasskey { startPasskey { ticket options } }";
const FINISH = `mutation FinishPasskey($answer: PasskeyAnswer!, $name: String) {
  finishPasskey(answer: $answer, name: $name) { id name isSynced createdAt lastUsedAt }
}`;

/** How long a request may wait for its answer if it does not say so, in milliseconds. */
const TIMEOUT = 300_000;
/** A request that expires sooner is not shown to a user, in milliseconds. */
const MIN_TIME = 60_000;

/** Requests that no passkey has answered, because the user did something else first. */
const unanswered = new WeakMap<Session, SignInRequest>();

/** Return whether this browser and this page can use the passkeys of a domain. */
export function canUsePasskeys(rpId: string): boolean {
  const { hostname } = location;
  const isOfDomain = hostname === rpId || hostname.endsWith(`.${rpId}`);
  return isOfDomain && "parseRequestOptionsFromJSON" in (globalThis.PublicKeyCredential ?? {});
}

/** Return whether the browser offers passkeys where it fills in usernames. */
export async function canOfferPasskeys(): Promise<boolean> {
  return (await PublicKeyCredential.isConditionalMediationAvailable?.()) ?? false;
}

/**
 * Sign in with a passkey. Returns false if the user cancels or `signal` aborts it. Throws a
 * `GatehouseError`.
 *
 * With `conditional`, the browser offers passkeys where it fills in usernames, in an input with
 * `autocomplete="username webauthn"`, until the user chooses one. Abort it before the user signs in
 * otherwise.
 */
export async function signInWithPasskey(
  session: Session,
  options: SignInOptions = {},
): Promise<boolean> {
  return answerWith(session, options, (answer) => session.adoptFrom(SIGN_IN, { answer }));
}

/** Prove again who the user is. Otherwise as `signInWithPasskey`. */
export async function reauthenticateWithPasskey(
  session: Session,
  options: { signal?: AbortSignal } = {},
): Promise<boolean> {
  return answerWith(session, options, (passkey) => reauthenticate(session, { passkey }));
}

/**
 * Create a passkey for the user. Returns undefined if the user cancels or `signal` aborts it.
 * Throws a `GatehouseError`, or a `DOMException` whose name is `InvalidStateError` if the device
 * has a passkey of this account already.
 */
export async function createPasskey(
  session: Session,
  { name, signal }: { name?: string; signal?: AbortSignal } = {},
): Promise<Passkey | undefined> {
  const { startPasskey } = await session.request<{
    startPasskey: PasskeyRequest<PublicKeyCredentialCreationOptionsJSON>;
  }>(START);
  const { ticket, options } = startPasskey;
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  const creating = navigator.credentials.create({ publicKey, ...(signal && { signal }) });
  const credential = await unlessCancelled(creating);
  if (!credential) return undefined;
  const answer = { ticket, credential };
  const { finishPasskey } = await session.request<{ finishPasskey: Passkey }>(FINISH, {
    answer,
    name,
  });
  return finishPasskey;
}

/**
 * Tell the browser which passkeys of the user the server accepts, so that it stops offering those
 * that were removed. Does nothing in a browser that cannot be told.
 */
export async function signalAcceptedPasskeys(accepted: AcceptedPasskeys | null): Promise<void> {
  if (accepted) await signal("signalAllAcceptedCredentials", accepted);
}

/** Send the answer of a passkey, and return whether the user has chosen one. */
async function answerWith(
  session: Session,
  options: SignInOptions,
  send: (answer: PasskeyAnswer) => Promise<unknown>,
): Promise<boolean> {
  const found = await askPasskey(session, options);
  if (!found) return false;
  options.onChosen?.();
  const { rpId, ...answer } = found;
  try {
    await send(answer);
  } catch (error) {
    if (error instanceof GatehouseError && error.extensions.unknownCredential) {
      // The browser should not offer it again.
      const credentialId = (answer.credential as { id: string }).id;
      await signal("signalUnknownCredential", { rpId, credentialId });
    }
    throw error;
  }
  return true;
}

/** Return the answer of a passkey, or undefined if the user cancels. */
async function askPasskey(
  session: Session,
  { conditional, signal }: SignInOptions,
): Promise<(PasskeyAnswer & { rpId: string | undefined }) | undefined> {
  const ended = signal ?? new AbortController().signal;
  while (!ended.aborted) {
    const { ticket, options, expiresAt } = await requestOf(session);
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const renewal = conditional ? renewalAt(expiresAt - MIN_TIME) : undefined;
    const asking = navigator.credentials.get({
      publicKey,
      signal: renewal ? AbortSignal.any([ended, renewal.signal]) : ended,
      ...(conditional && { mediation: "conditional" }),
    });
    const credential = await unlessCancelled(asking).finally(renewal?.stop);
    if (credential) {
      unanswered.delete(session);
      return { ticket, credential, rpId: options.rpId };
    }
    if (!renewal?.signal.aborted) return undefined;
  }
  return undefined;
}

/** Return a request that no passkey has answered yet. */
async function requestOf(session: Session): Promise<SignInRequest> {
  const kept = unanswered.get(session);
  if (kept && kept.expiresAt - Date.now() > MIN_TIME) return kept;
  const { startPasskeySignIn } = await session.request<{
    startPasskeySignIn: PasskeyRequest<PublicKeyCredentialRequestOptionsJSON>;
  }>(START_SIGN_IN);
  const expiresAt = Date.now() + (startPasskeySignIn.options.timeout ?? TIMEOUT);
  const request = { ...startPasskeySignIn, expiresAt };
  unanswered.set(session, request);
  return request;
}

/** Abort at a time or, if the page is hidden then, when it is shown again. */
function renewalAt(time: number): { signal: AbortSignal; stop: () => void } {
  const renewal = new AbortController();
  const renew = () => {
    if (document.visibilityState === "visible") renewal.abort();
    else document.addEventListener("visibilitychange", renew, { once: true });
  };
  const timer = setTimeout(renew, time - Date.now());
  const stop = () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", renew);
  };
  return { signal: renewal.signal, stop };
}

/** Return what `toJSON` says of a credential, or undefined if there is none. */
async function unlessCancelled(asking: Promise<Credential | null>): Promise<unknown> {
  try {
    return ((await asking) as PublicKeyCredential | null)?.toJSON();
  } catch (error) {
    // Browsers do not say whether the user cancelled, or had no passkey.
    const { name } = error as DOMException;
    if (name === "NotAllowedError" || name === "AbortError") return undefined;
    throw error;
  }
}

/** Call a method of `PublicKeyCredential` that only some browsers have. */
async function signal(method: string, argument: object): Promise<void> {
  type Methods = Record<string, ((argument: object) => Promise<void>) | undefined>;
  const methods = PublicKeyCredential as unknown as Methods;
  await methods[method]?.(argument).catch(() => {});
}
