import { Form } from "../Form";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { SECURE_ACCOUNT } from "../operations";
import { navigate } from "../router";
import { useSecret } from "../secrets";
import { session } from "../session";
import { useTexts } from "../texts/language";

/** The page that the link in a security notice leads to. The token is used when the button is pressed. */
export function SecureAccount() {
  const texts = useTexts();
  const token = useSecret("token");

  async function secure() {
    await session.request(SECURE_ACCOUNT, { token });
    // It may have ended the session of this browser.
    if (session.state.status === "signedIn") await session.refresh().catch(() => undefined);
    navigate("login", { replace: true });
    setNotice(({ secureAccount }) => secureAccount.done);
  }

  return (
    <>
      <p className="intro">{token ? texts.secureAccount.intro : texts.secureAccount.noToken}</p>
      {token && (
        <Form submit={texts.secureAccount.submit} isDangerous send={secure}>
          {null}
        </Form>
      )}
      <p className="other">
        <Link to="forgot-password">{texts.secureAccount.resetOnly}</Link>
      </p>
    </>
  );
}
