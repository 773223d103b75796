import { useState } from "react";
import { type CodeRequest, codeRequest, useCodeRequest } from "../codeRequest";
import { Field, PasswordField } from "../Field";
import { FinishSignUp } from "../FinishSignUp";
import { Form, type Values } from "../Form";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { type MailRequest, REGISTER, START_REGISTRATION } from "../operations";
import { hasPasskeys } from "../passkeys";
import { ProviderButtons, ProviderFailure } from "../ProviderButtons";
import { useSecret } from "../secrets";
import { session } from "../session";
import { settings } from "../settings";
import { useTexts } from "../texts/language";

export function SignUp() {
  const invitation = useSecret("invitation");
  const email = useSecret("email");
  if (invitation) return <InvitedSignUp invitation={invitation} email={email} />;
  if (settings.registration !== "open") return <NoSignUp />;
  if (settings.requiresVerifiedEmail) return <ProvenSignUp />;
  return <SignUpForm send={(values) => register(values)} />;
}

async function register({ username, email, password }: Values, invitation?: string) {
  const variables = { username, email, password, invitation };
  await session.adoptFrom(REGISTER, variables);
}

/** The registration of someone whom the link of a mail invites, with the email that it has. */
function InvitedSignUp({ invitation, email }: { invitation: string; email: string | undefined }) {
  const texts = useTexts();
  return (
    <>
      <p className="intro">{texts.signUp.invited}</p>
      <SignUpForm send={(values) => register(values, invitation)} email={email} />
    </>
  );
}

function NoSignUp() {
  const texts = useTexts();
  const isByInvitation = settings.registration === "invite";
  return (
    <>
      <p className="intro">{isByInvitation ? texts.signUp.byInvitation : texts.signUp.closed}</p>
      <HasAccount />
    </>
  );
}

function HasAccount() {
  const texts = useTexts();
  return (
    <p className="other">
      {texts.signUp.hasAccount}{" "}
      <Link to={`login${location.search}${location.hash}`}>{texts.signUp.login}</Link>
    </p>
  );
}

/** A registration in two steps. The link in the mail leads here too, and fills in its code. */
function ProvenSignUp() {
  const texts = useTexts();
  const { code, request: registration, keep } = useCodeRequest("registration");
  const [hasStarted, setStarted] = useState(false);

  /** Without a password, a passkey is created when the email is proven. */
  async function start({ username, email = "", password }: Values) {
    const { startRegistration } = await session.request<{ startRegistration: MailRequest }>(
      START_REGISTRATION,
      { username, email, password },
    );
    const minutes = Math.round(startRegistration.expiresIn / 60);
    replace({ ...codeRequest(startRegistration, email), usesPasskey: password === undefined });
    setStarted(true);
    setNotice(({ signUp }) => signUp.sent(email.trim(), minutes));
  }

  function replace(next: CodeRequest | undefined) {
    keep(next);
    setNotice(undefined);
  }

  if (registration) {
    return (
      <FinishSignUp
        registration={registration}
        code={code}
        isFocused={hasStarted}
        forget={() => replace(undefined)}
      />
    );
  }
  return (
    <>
      <p className="intro">{code ? texts.signUp.otherBrowser : texts.signUp.intro}</p>
      <SignUpForm submit={texts.signUp.start} send={start} offersPasskey={hasPasskeys} />
    </>
  );
}

function SignUpForm(props: {
  submit?: string;
  send: (values: Values) => Promise<void>;
  offersPasskey?: boolean;
  email?: string | undefined;
}) {
  const texts = useTexts();
  const [usesPasskey, setUsesPasskey] = useState(false);
  return (
    <>
      <ProviderFailure />
      <Form submit={props.submit ?? texts.signUp.submit} send={props.send}>
        <Field
          name="username"
          label={texts.fields.username}
          hint={texts.hints.username}
          autoComplete="username"
        />
        <Field
          name="email"
          label={texts.fields.email}
          type="email"
          autoComplete="email"
          defaultValue={props.email}
        />
        {!usesPasskey && (
          <PasswordField
            name="password"
            label={texts.fields.password}
            hint={texts.hints.newPassword}
            autoComplete="new-password"
          />
        )}
        {props.offersPasskey && (
          <label className="check">
            <input
              type="checkbox"
              checked={usesPasskey}
              onChange={() => setUsesPasskey(!usesPasskey)}
            />
            {texts.passkeys.instead}
          </label>
        )}
        {usesPasskey && <p className="hint">{texts.passkeys.insteadHint}</p>}
      </Form>
      <ProviderButtons page="sign-up" />
      <HasAccount />
    </>
  );
}
