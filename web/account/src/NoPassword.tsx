import { Action } from "./Action";
import { setNotice } from "./notice";
import { type MailRequest, REQUEST_PASSWORD_RESET } from "./operations";
import { session } from "./session";
import { useTexts } from "./texts/language";

/** What is shown for an account without a password: a button to send the link that sets one. */
export function SetPassword({ email }: { email: string }) {
  const texts = useTexts().setPassword;

  async function request() {
    const { requestPasswordReset } = await session.request<{ requestPasswordReset: MailRequest }>(
      REQUEST_PASSWORD_RESET,
      { email },
    );
    const minutes = Math.round(requestPasswordReset.expiresIn / 60);
    setNotice(({ setPassword }) => setPassword.sent(email, minutes));
  }

  return (
    <section className="card" aria-labelledby="set-password">
      <h2 id="set-password">{texts.title}</h2>
      <p>{texts.intro}</p>
      <Action label={texts.submit} run={request} />
    </section>
  );
}
