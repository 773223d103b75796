import { Field } from "../Field";
import { Form, type Values } from "../Form";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { REQUEST_PASSWORD_RESET, type MailRequest } from "../operations";
import { session } from "../session";
import { useTexts } from "../texts/language";

export function ForgotPassword() {
  const texts = useTexts();

  async function request({ email = "" }: Values) {
    setNotice(undefined);
    const { requestPasswordReset } = await session.request<{ requestPasswordReset: MailRequest }>(
      REQUEST_PASSWORD_RESET,
      { email },
    );
    const minutes = Math.round(requestPasswordReset.expiresIn / 60);
    setNotice(({ forgotPassword }) => forgotPassword.sent(email.trim(), minutes));
  }

  return (
    <>
      <p className="intro">{texts.forgotPassword.intro}</p>
      <Form submit={texts.forgotPassword.submit} send={request}>
        <Field name="email" label={texts.fields.email} type="email" autoComplete="email" />
      </Form>
      <p className="other">
        <Link to="login">{texts.forgotPassword.login}</Link>
      </p>
    </>
  );
}
