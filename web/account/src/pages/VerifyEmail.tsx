import { CodeForm } from "../CodeForm";
import { verifyEmail } from "../EmailVerification";
import { Failure } from "../Failure";
import { Form } from "../Form";
import { Loading } from "../Frame";
import { setNotice } from "../notice";
import { type Profile, READ_PROFILE } from "../operations";
import { navigate } from "../router";
import { useSecret } from "../secrets";
import { useTexts } from "../texts/language";
import { useQuery } from "../useQuery";

/** The page that the link in the mail leads to. The token is used when the button is pressed. */
export function VerifyEmail() {
  const texts = useTexts();
  const token = useSecret("token");
  const { data, error, load } = useQuery<{ me: Profile }>(READ_PROFILE);

  async function verify(code: string) {
    await verifyEmail(code);
    navigate("profile", { replace: true });
    setNotice(({ verification }) => verification.done);
  }

  if (error !== undefined) return <Failure error={error} retry={load} />;
  if (!data) return <Loading />;
  if (data.me.emailVerified) return <p className="intro">{texts.verification.already}</p>;
  return (
    <>
      <p className="intro">{texts.verification.confirm(data.me.email, data.me.username)}</p>
      {token ? (
        <Form submit={texts.verification.submit} send={() => verify(token)}>
          {null}
        </Form>
      ) : (
        <CodeForm submit={texts.verification.submit} send={verify} />
      )}
    </>
  );
}
