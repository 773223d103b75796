import { Field, PasswordField } from "../Field";
import { Form, type Values } from "../Form";
import { Link } from "../Link";
import { LOGIN, type Token } from "../operations";
import { ReturnNote } from "../ReturnNote";
import { session } from "../session";
import { settings } from "../settings";
import { useTexts } from "../texts/language";

export function Login({ returnTo }: { returnTo: URL | undefined }) {
  const texts = useTexts();

  async function logIn({ username, password }: Values) {
    const { login } = await session.request<{ login: Token }>(LOGIN, { username, password });
    session.adopt(login);
  }

  return (
    <>
      <ReturnNote returnTo={returnTo} />
      <Form submit={texts.login.submit} send={logIn}>
        <Field name="username" label={texts.fields.login} autoComplete="username" />
        <PasswordField
          name="password"
          label={texts.fields.password}
          autoComplete="current-password"
        />
      </Form>
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
      <p className="other">
        {texts.login.newHere} <Link to={`sign-up${location.search}${location.hash}`}>{texts.login.signUp}</Link>
      </p>
    </>
  );
}
