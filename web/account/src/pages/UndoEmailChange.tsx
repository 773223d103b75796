import { Form } from "../Form";
import { setNotice } from "../notice";
import { UNDO_EMAIL_CHANGE } from "../operations";
import { navigate } from "../router";
import { useSecret } from "../secrets";
import { session } from "../session";
import { useTexts } from "../texts/language";

/** The page that the link in the mail to a former email leads to. Nobody needs to be signed in. */
export function UndoEmailChange() {
  const texts = useTexts().undoEmailChange;
  const token = useSecret("token");

  async function undo() {
    await session.request(UNDO_EMAIL_CHANGE, { token });
    // It may have ended the session of this browser.
    if (session.state.status === "signedIn") await session.refresh().catch(() => undefined);
    navigate("login", { replace: true });
    setNotice(({ undoEmailChange }) => undoEmailChange.done);
  }

  return (
    <>
      <p className="intro">{token ? texts.intro : texts.noToken}</p>
      {token && (
        <Form submit={texts.submit} send={undo}>
          {null}
        </Form>
      )}
    </>
  );
}
