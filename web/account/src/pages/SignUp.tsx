import { Field, PasswordField } from "../Field";
import { Form, type Values } from "../Form";
import { Link } from "../Link";
import { REGISTER, type Token } from "../operations";
import { session } from "../session";
import { useTexts } from "../texts/language";

export function SignUp() {
  const texts = useTexts();

  async function signUp({ username, email, password }: Values) {
    const variables = { username, email, password };
    const { register } = await session.request<{ register: Token }>(REGISTER, variables);
    session.adopt(register);
  }

  return (
    <>
      <Form submit={texts.signUp.submit} send={signUp}>
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
