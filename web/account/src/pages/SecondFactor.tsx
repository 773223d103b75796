import { GatehouseError } from "@gatehouse/client";
import { passSecondFactor } from "@gatehouse/client/second-factor";
import { useEffect } from "react";
import { type Challenge, countFailure, currentChallenge, forgetChallenge } from "../challenge";
import { FactorForm } from "../FactorForm";
import { type Notice, setNotice } from "../notice";
import { signInByPasskey } from "../passkeys";
import { ReturnNote } from "../ReturnNote";
import { navigate } from "../router";
import { session } from "../session";
import { useTexts } from "../texts/language";

/** The second step of a sign-in, however it began. Without one, it leads to the first step. */
export function SecondFactor({ returnTo }: { returnTo: URL | undefined }) {
  const challenge = currentChallenge();

  useEffect(() => {
    if (!challenge) beginAgain();
  });

  return challenge ? <Steps challenge={challenge} returnTo={returnTo} /> : null;
}

function Steps({ challenge, returnTo }: { challenge: Challenge; returnTo: URL | undefined }) {
  const texts = useTexts().secondFactor;
  const { ticket, methods, expiresAt } = challenge;

  useEffect(() => {
    const expire = () => beginAgain(({ secondFactor }) => secondFactor.expired);
    const timer = setTimeout(expire, expiresAt - Date.now());
    return () => clearTimeout(timer);
  }, [expiresAt]);

  async function sendCode(code: string) {
    try {
      await passSecondFactor(session, ticket, code);
      forgetChallenge();
    } catch (error) {
      const isWrong = error instanceof GatehouseError && error.code === "INVALID_CODE";
      if (isWrong && !countFailure()) beginAgain(({ secondFactor }) => secondFactor.dead);
      else throw error;
    }
  }

  async function usePasskey() {
    await signInByPasskey();
    forgetChallenge();
  }

  return (
    <>
      <ReturnNote returnTo={returnTo} />
      {methods.includes("TOTP") && <p className="intro">{texts.intro}</p>}
      <FactorForm
        methods={methods}
        submit={texts.submit}
        sendCode={sendCode}
        usePasskey={usePasskey}
      />
      <p className="other">
        <button type="button" className="link" onClick={() => beginAgain()}>
          {texts.beginAgain}
        </button>
      </p>
    </>
  );
}

/** Lead back to the first step. The address to return to stays. */
function beginAgain(notice?: Notice): void {
  forgetChallenge();
  navigate(`login${location.search}${location.hash}`, { replace: true });
  setNotice(notice);
}
