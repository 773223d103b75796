import { Action } from "./Action";
import { CodeForm } from "./CodeForm";
import { setNotice } from "./notice";
import {
  type MailRequest,
  type Profile,
  REQUEST_EMAIL_VERIFICATION,
  VERIFY_EMAIL,
} from "./operations";
import { request } from "./proof";
import { useTexts } from "./texts/language";

/** What is shown while the email is not verified: a field for the code, and a button to send it. */
export function EmailVerification(props: { email: string; onVerified: (saved: Profile) => void }) {
  const texts = useTexts().verification;

  async function verify(code: string) {
    props.onVerified(await verifyEmail(code));
    setNotice(({ verification }) => verification.done);
  }

  return (
    <section className="card" aria-labelledby="verification">
      <h2 id="verification">{texts.title}</h2>
      <p>{texts.intro(props.email)}</p>
      <CodeForm submit={texts.submit} send={verify} />
      <RequestCode email={props.email} />
    </section>
  );
}

function RequestCode({ email }: { email: string }) {
  const texts = useTexts().verification;

  async function requestCode() {
    const { requestEmailVerification } = await request<{
      requestEmailVerification: MailRequest;
    }>(REQUEST_EMAIL_VERIFICATION);
    const minutes = Math.round(requestEmailVerification.expiresIn / 60);
    setNotice(({ verification }) => verification.sent(email, minutes));
  }

  return <Action label={texts.send} run={requestCode} />;
}

/** Verify the email with a code or with the token of a link. */
export async function verifyEmail(code: string): Promise<Profile> {
  setNotice(undefined);
  const { verifyEmail } = await request<{ verifyEmail: Profile }>(VERIFY_EMAIL, { code });
  return verifyEmail;
}
