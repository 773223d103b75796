import { Failure } from "../Failure";
import { PasswordField } from "../Field";
import { Form, type Values } from "../Form";
import { Loading } from "../Frame";
import { Link } from "../Link";
import { type Notice, setNotice } from "../notice";
import { CHANGE_PASSWORD, type Profile, READ_PROFILE, SET_PASSWORD } from "../operations";
import { adoptFrom } from "../proof";
import { useTexts } from "../texts/language";
import { useQuery } from "../useQuery";
import { UsernameForManagers } from "../UsernameForManagers";

/** Change the password, or set the first one. */
export function Password() {
  const { data, error, load } = useQuery<{ me: Profile }>(READ_PROFILE);
  if (error !== undefined) return <Failure error={error} retry={load} />;
  if (!data) return <Loading />;
  return <NewPassword hasOne={data.me.hasPassword} reload={load} />;
}

function NewPassword({ hasOne, reload }: { hasOne: boolean; reload: () => Promise<void> }) {
  const texts = useTexts();

  async function save({ newPassword }: Values, form: HTMLFormElement) {
    setNotice(undefined);
    await adoptFrom(hasOne ? CHANGE_PASSWORD : SET_PASSWORD, { newPassword });
    form.reset();
    await reload();
    const saved: Notice = ({ password, setPassword }) => (hasOne ? password : setPassword).saved;
    setNotice(saved);
  }

  return (
    <>
      <p className="intro">{hasOne ? texts.password.intro : texts.setPassword.pageIntro}</p>
      <div className="card">
        <Form submit={hasOne ? texts.password.submit : texts.setPassword.submit} send={save}>
          <UsernameForManagers />
          <PasswordField
            name="newPassword"
            label={texts.fields.newPassword}
            hint={texts.hints.newPassword}
            autoComplete="new-password"
          />
        </Form>
      </div>
      <p className="other">
        <Link to="security">{texts.security.toSecurity}</Link>
      </p>
    </>
  );
}
