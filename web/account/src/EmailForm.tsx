import { Field } from "./Field";
import { Form, type Values } from "./Form";
import { Link } from "./Link";
import { setNotice } from "./notice";
import { type MailRequest, type Profile, REQUEST_EMAIL_CHANGE } from "./operations";
import { request } from "./proof";
import { navigate } from "./router";
import { useTexts } from "./texts/language";
import { useFollowingState } from "./useFollowing";

/** The email where the server sends mail: a code that is sent to a new one has to prove it. */
export function EmailForm({ profile }: { profile: Profile }) {
  const texts = useTexts();
  const [email, setEmail] = useFollowingState(profile.email);
  const isNew = email.trim().toLowerCase() !== profile.email;

  async function requestChange({ newEmail = "" }: Values) {
    setNotice(undefined);
    if (!isNew) {
      setNotice(({ profile }) => profile.unchanged);
      return;
    }
    const { requestEmailChange } = await request<{ requestEmailChange: MailRequest }>(
      REQUEST_EMAIL_CHANGE,
      { newEmail },
    );
    const minutes = Math.round(requestEmailChange.expiresIn / 60);
    navigate("change-email");
    setNotice(({ emailChange }) => emailChange.sent(newEmail.trim(), minutes));
  }

  return (
    <div className="card">
      {profile.pendingEmail && (
        <p>
          {texts.emailChange.pending(profile.pendingEmail)}{" "}
          <Link to="change-email">{texts.emailChange.enterCode}</Link>
        </p>
      )}
      <Form submit={texts.emailChange.submit} send={requestChange}>
        <Field
          name="newEmail"
          label={texts.fields.email}
          hint={texts.hints.isVerified(profile.emailVerified)}
          type="email"
          autoComplete="email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
      </Form>
    </div>
  );
}
