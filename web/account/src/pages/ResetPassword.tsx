import { PasswordField } from "../Field";
import { Form, type Values } from "../Form";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { RESET_PASSWORD } from "../operations";
import { navigate } from "../router";
import { useSecret } from "../secrets";
import { session } from "../session";
import { useTexts } from "../texts/language";

/** The page that the link in the mail leads to. The token is used when the form is sent. */
export function ResetPassword() {
  const texts = useTexts();
  const token = useSecret("token");

  async function reset({ newPassword }: Values) {
    await session.request(RESET_PASSWORD, { token, newPassword });
    // It may have ended the session of this browser.
    if (session.state.status === "signedIn") await session.refresh().catch(() => undefined);
    navigate("login", { replace: true });
    setNotice(({ resetPassword }) => resetPassword.done);
  }

  return (
    <>
      <p className="intro">{token ? texts.resetPassword.intro : texts.resetPassword.noToken}</p>
      {token && (
        <Form submit={texts.resetPassword.submit} send={reset}>
          <PasswordField
            name="newPassword"
            label={texts.fields.newPassword}
            hint={texts.hints.newPassword}
            autoComplete="new-password"
          />
        </Form>
      )}
      <p className="other">
        <Link to="forgot-password">{texts.resetPassword.requestAnother}</Link>
      </p>
    </>
  );
}
