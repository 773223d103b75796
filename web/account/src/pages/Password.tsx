import { Failure } from "../Failure";
import { PasswordField } from "../Field";
import { Form, type Values } from "../Form";
import { Loading } from "../Frame";
import { setNotice } from "../notice";
import { CHANGE_PASSWORD, type Profile, READ_PROFILE, type Token } from "../operations";
import { session } from "../session";
import { SetPassword } from "../SetPassword";
import { useTexts } from "../texts/language";
import { useQuery } from "../useQuery";
import { UsernameForManagers } from "../UsernameForManagers";

export function Password() {
  const { data, error, load } = useQuery<{ me: Profile }>(READ_PROFILE);
  if (error !== undefined) return <Failure error={error} retry={load} />;
  if (!data) return <Loading />;
  return data.me.hasPassword ? <ChangePassword /> : <SetPassword email={data.me.email} />;
}

function ChangePassword() {
  const texts = useTexts();

  async function change({ currentPassword, newPassword }: Values, form: HTMLFormElement) {
    setNotice(undefined);
    const variables = { currentPassword, newPassword };
    const { changePassword } = await session.request<{ changePassword: Token }>(
      CHANGE_PASSWORD,
      variables,
    );
    session.adopt(changePassword);
    form.reset();
    setNotice(({ password }) => password.saved);
  }

  return (
    <>
      <p className="intro">{texts.password.intro}</p>
      <div className="card">
        <Form submit={texts.password.submit} send={change}>
          <UsernameForManagers />
          <PasswordField
            name="currentPassword"
            label={texts.fields.currentPassword}
            autoComplete="current-password"
          />
          <PasswordField
            name="newPassword"
            label={texts.fields.newPassword}
            hint={texts.hints.newPassword}
            autoComplete="new-password"
          />
        </Form>
      </div>
    </>
  );
}
