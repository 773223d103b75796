import {
  isReauthenticationRequired,
  type Proof,
  type ReauthenticationMethod,
  reauthenticate,
} from "@gatehouse/client/proof";
import { useEffect, useState } from "react";
import { Dialog } from "./Dialog";
import { FactorForm } from "./FactorForm";
import { hasPasskeys, proveByPasskey } from "./passkeys";
import { type PendingProof, usePendingProof } from "./proof";
import { session, useSession } from "./session";
import { useTexts } from "./texts/language";

/** The dialog that asks users to prove again who they are, while a request waits for it. */
export function ProofDialog() {
  const pending = usePendingProof();
  return pending ? <Asking pending={pending} /> : null;
}

function Asking({ pending }: { pending: PendingProof }) {
  const texts = useTexts().proof;
  const { status } = useSession();
  const [methods, setMethods] = useState(pending.methods);

  useEffect(() => {
    if (status !== "signedIn") pending.cancel();
  }, [status, pending]);

  async function prove(proof: Proof) {
    try {
      await reauthenticate(session, proof);
    } catch (error) {
      // The user has set up a factor in the meantime.
      if (isReauthenticationRequired(error)) setMethods(error.extensions.methods);
      throw error;
    }
    pending.succeed();
  }

  async function usePasskey() {
    await proveByPasskey();
    pending.succeed();
  }

  return (
    <Dialog title={texts.title} cancel={pending.cancel}>
      <p>{texts.intro}</p>
      <FactorForm
        key={methods.join()}
        methods={methods}
        submit={texts.submit}
        sendPassword={(password) => prove({ password })}
        sendCode={(code) => prove({ code })}
        usePasskey={usePasskey}
      />
      {!methods.some(canBeUsed) && <SignInAgain />}
      <button type="button" onClick={pending.cancel}>
        {texts.cancel}
      </button>
    </Dialog>
  );
}

/** For an account without a password or a factor, or in a browser that cannot use its passkey. */
function SignInAgain() {
  const texts = useTexts().proof;
  return (
    <>
      <p>{texts.signIn}</p>
      <button type="button" className="primary" onClick={() => void session.signOut()}>
        {texts.signInLink}
      </button>
    </>
  );
}

function canBeUsed(method: ReauthenticationMethod): boolean {
  return method === "PASSKEY" ? hasPasskeys : method !== "SIGN_IN";
}
