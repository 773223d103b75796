import { isUsernameRequired, type ProviderCode } from "@gatehouse/client/providers";
import { useEffect, useState } from "react";
import { Failure } from "../Failure";
import { Field } from "../Field";
import { Form } from "../Form";
import { Loading } from "../Frame";
import { signInByProvider, signInOtherwise, useProviderCode } from "../providers";
import { ReturnNote } from "../ReturnNote";
import { useTexts } from "../texts/language";

/** Where a provider sends the browser back to: signs in, or asks a new user for a username. */
export function FinishSignIn({ returnTo }: { returnTo: URL | undefined }) {
  const code = useProviderCode();

  useEffect(() => {
    if (!code) signInOtherwise();
  }, [code]);

  return code ? <Steps code={code} returnTo={returnTo} /> : null;
}

function Steps({ code, returnTo }: { code: ProviderCode; returnTo: URL | undefined }) {
  const [error, setError] = useState<unknown>();
  const signIn = () => signInByProvider(code).then(() => setError(undefined), setError);

  useEffect(() => void signIn(), []);

  if (error === undefined) return <Loading />;
  if (!isUsernameRequired(error)) return <Failure error={error} retry={signIn} />;
  const suggestion = error.extensions.suggestedUsername ?? "";
  return (
    <>
      <ReturnNote returnTo={returnTo} />
      <UsernameForm code={code} suggestion={suggestion} />
    </>
  );
}

function UsernameForm({ code, suggestion }: { code: ProviderCode; suggestion: string }) {
  const texts = useTexts();
  return (
    <>
      <p className="intro">{texts.providers.chooseUsername}</p>
      <Form
        submit={texts.signUp.submit}
        send={({ username = "" }) => signInByProvider(code, username)}
      >
        <Field
          name="username"
          label={texts.fields.username}
          hint={texts.hints.username}
          autoComplete="username"
          defaultValue={suggestion}
          autoFocus
        />
      </Form>
      <p className="other">
        <button type="button" className="link" onClick={signInOtherwise}>
          {texts.providers.anotherWay}
        </button>
      </p>
    </>
  );
}
