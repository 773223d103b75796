import { GatehouseError } from "@gatehouse/client";
import { useState } from "react";
import { CodeField } from "./CodeForm";
import type { CodeRequest } from "./codeRequest";
import { Field } from "./Field";
import { Form, type Values } from "./Form";
import { setNotice } from "./notice";
import { FINISH_REGISTRATION } from "./operations";
import { navigate } from "./router";
import { session, setTask, takeTask } from "./session";
import { useTexts } from "./texts/language";

/** The second step of a registration: a field for the code, and one for another username if needed. */
export function FinishSignUp(props: {
  registration: CodeRequest;
  /** The code of the link that led here. */
  code: string | undefined;
  isFocused: boolean;
  forget: () => void;
}) {
  const texts = useTexts();
  const [isTaken, setTaken] = useState(false);
  const { ticket, email, usesPasskey } = props.registration;

  async function finish({ code, username }: Values) {
    setNotice(undefined);
    if (usesPasskey) setTask("new-passkey");
    try {
      await session.adoptFrom(FINISH_REGISTRATION, { ticket, code, username });
      props.forget();
    } catch (error) {
      takeTask();
      const code = error instanceof GatehouseError ? error.code : undefined;
      if (code === "USERNAME_TAKEN") setTaken(true);
      if (code !== "EMAIL_TAKEN") throw error;
      props.forget();
      navigate("login", { replace: true });
      setNotice(({ signUp }) => signUp.emailTaken);
    }
  }

  return (
    <>
      <p className="intro">{texts.verification.intro(email)}</p>
      <Form submit={texts.signUp.submit} send={finish}>
        <CodeField code={props.code} autoFocus={props.isFocused} />
        {isTaken && (
          <Field
            name="username"
            label={texts.fields.username}
            hint={texts.hints.username}
            autoComplete="username"
          />
        )}
      </Form>
      <p className="other">
        {texts.signUp.noCode}{" "}
        <button type="button" onClick={props.forget}>
          {texts.signUp.startAgain}
        </button>
      </p>
    </>
  );
}
