import { useEffect, useState } from "react";
import { Field, PasswordField } from "../Field";
import { FinishSignUp } from "../FinishSignUp";
import { Form, type Values } from "../Form";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { type MailRequest, REGISTER, START_REGISTRATION, type Token } from "../operations";
import { savedRegistration, saveRegistration } from "../registration";
import { navigate } from "../router";
import { useSecret } from "../secrets";
import { session } from "../session";
import { settings } from "../settings";
import { useTexts } from "../texts/language";

export function SignUp() {
  return settings.requiresVerifiedEmail ? <ProvenSignUp /> : <SignUpForm send={register} />;
}

async function register({ username, email, password }: Values) {
  const variables = { username, email, password };
  const { register } = await session.request<{ register: Token }>(REGISTER, variables);
  session.adopt(register);
}

/** A registration in two steps. The link in the mail leads here too, and fills in its code. */
function ProvenSignUp() {
  const texts = useTexts();
  const code = useSecret("code");
  const [registration, setRegistration] = useState(savedRegistration);
  const [hasStarted, setStarted] = useState(false);

  useEffect(() => {
    if (code && registration?.search && !location.search) {
      navigate(`sign-up${registration.search}`, { replace: true });
    }
  }, [code, registration]);

  async function start({ username, email = "", password }: Values) {
    const { startRegistration } = await session.request<{
      startRegistration: MailRequest & { ticket: string };
    }>(START_REGISTRATION, { username, email, password });
    const { ticket, expiresIn } = startRegistration;
    const expiresAt = Date.now() + expiresIn * 1000;
    keep({ ticket, email: email.trim(), expiresAt, search: location.search });
    setStarted(true);
    setNotice(({ signUp }) => signUp.sent(email.trim(), Math.round(expiresIn / 60)));
  }

  function keep(next: typeof registration) {
    saveRegistration(next);
    setRegistration(next);
    setNotice(undefined);
  }

  if (registration) {
    return (
      <FinishSignUp
        registration={registration}
        code={code}
        isFocused={hasStarted}
        forget={() => keep(undefined)}
      />
    );
  }
  return (
    <>
      <p className="intro">{code ? texts.signUp.otherBrowser : texts.signUp.intro}</p>
      <SignUpForm submit={texts.signUp.start} send={start} />
    </>
  );
}

function SignUpForm(props: { submit?: string; send: (values: Values) => Promise<void> }) {
  const texts = useTexts();
  return (
    <>
      <Form submit={props.submit ?? texts.signUp.submit} send={props.send}>
        <Field
          name="username"
          label={texts.fields.username}
          hint={texts.hints.username}
          autoComplete="username"
        />
        <Field name="email" label={texts.fields.email} type="email" autoComplete="email" />
        <PasswordField
          name="password"
          label={texts.fields.password}
          hint={texts.hints.newPassword}
          autoComplete="new-password"
        />
      </Form>
      <p className="other">
        {texts.signUp.hasAccount}{" "}
        <Link to={`login${location.search}${location.hash}`}>{texts.signUp.login}</Link>
      </p>
    </>
  );
}
