import { Action } from "../Action";
import { Failure } from "../Failure";
import { Field, PasswordField } from "../Field";
import { Form, type Values } from "../Form";
import { Link } from "../Link";
import { LOGIN } from "../operations";
import { hasPasskeys, signInByPasskey, usePasskeyAutofill } from "../passkeys";
import { ProviderButtons, ProviderFailure } from "../ProviderButtons";
import { ReturnNote } from "../ReturnNote";
import { settings } from "../settings";
import { signIn } from "../signIn";
import { useTexts } from "../texts/language";

export function Login({ returnTo }: { returnTo: URL | undefined }) {
  const texts = useTexts();
  const autofill = usePasskeyAutofill();

  /** Sign in while the browser offers no passkeys. It does again after an error. */
  async function attempt(run: () => Promise<void>) {
    autofill.stop();
    try {
      await run();
    } catch (error) {
      autofill.start();
      throw error;
    }
  }

  const logIn = ({ username, password }: Values) =>
    attempt(() => signIn(LOGIN, { username, password }));

  return (
    <>
      <ReturnNote returnTo={returnTo} />
      <ProviderFailure />
      <Form submit={texts.login.submit} send={logIn}>
        <Field
          name="username"
          label={texts.fields.login}
          autoComplete={hasPasskeys ? "username webauthn" : "username"}
        />
        <PasswordField
          name="password"
          label={texts.fields.password}
          autoComplete="current-password"
        />
      </Form>
      {hasPasskeys && (
        <>
          <Failure error={autofill.error} />
          <Action label={texts.passkeys.signIn} run={() => attempt(signInByPasskey)} />
        </>
      )}
      <ProviderButtons page="login" />
      {settings.sendsMail && (
        <>
          <p className="other">
            <Link to={`login-by-code${location.search}${location.hash}`}>{texts.login.byCode}</Link>
          </p>
          <p className="other">
            <Link to="forgot-password">{texts.login.forgotPassword}</Link>
          </p>
        </>
      )}
      {settings.registration === "open" && (
        <p className="other">
          {texts.login.newHere}{" "}
          <Link to={`sign-up${location.search}${location.hash}`}>{texts.login.signUp}</Link>
        </p>
      )}
    </>
  );
}
