import { CodeForm } from "../CodeForm";
import { Failure } from "../Failure";
import { Form } from "../Form";
import { Loading } from "../Frame";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { CONFIRM_EMAIL_CHANGE, type Profile, READ_PROFILE } from "../operations";
import { request } from "../proof";
import { navigate } from "../router";
import { useSecret } from "../secrets";
import { useTexts } from "../texts/language";
import { useQuery } from "../useQuery";

/** The page for the code and for the link in the mail. The token is used when the button is pressed. */
export function ChangeEmail() {
  const texts = useTexts().emailChange;
  const token = useSecret("token");
  const { data, error, load } = useQuery<{ me: Profile }>(READ_PROFILE);

  async function confirm(code: string) {
    setNotice(undefined);
    await request(CONFIRM_EMAIL_CHANGE, { code });
    navigate("profile", { replace: true });
    setNotice(({ emailChange }) => emailChange.done);
  }

  if (error !== undefined) return <Failure error={error} retry={load} />;
  if (!data) return <Loading />;
  const { pendingEmail, username } = data.me;
  if (!pendingEmail) {
    return (
      <>
        <p className="intro">{texts.nothingPending}</p>
        <p className="other">
          <Link to="profile">{texts.toProfile}</Link>
        </p>
      </>
    );
  }
  return (
    <>
      <p className="intro">{texts.confirm(pendingEmail, username)}</p>
      {token ? (
        <Form submit={texts.use} send={() => confirm(token)}>
          {null}
        </Form>
      ) : (
        <CodeForm submit={texts.use} send={confirm} />
      )}
    </>
  );
}
