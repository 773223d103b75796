import { useEffect, useState } from "react";
import { Failure } from "../Failure";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { addPasskey } from "../passkeys";
import { goTo } from "../router";
import { takeTask, useSession } from "../session";
import { useTexts } from "../texts/language";
import { useChange } from "../useChange";

/** Create the passkey of an account that was made without a password: at once, if it is new. */
export function NewPasskey({ returnTo }: { returnTo: URL | undefined }) {
  const texts = useTexts().passkeys;
  const { user } = useSession();
  const { error, isBusy, change } = useChange();
  const [hasFailed, setFailed] = useState(false);

  const create = () =>
    change(async () => {
      try {
        await addPasskey();
      } catch (error) {
        setFailed(true);
        throw error;
      }
      goTo(returnTo ?? new URL("profile", location.href));
      setNotice(({ passkeys }) => passkeys.added);
    });

  useEffect(() => {
    if (takeTask() === "new-passkey") void create();
  }, []);

  return (
    <>
      <p className="intro">{hasFailed ? texts.failed : texts.accountExists(user?.username ?? "")}</p>
      <Failure error={error} />
      <button
        type="button"
        className="primary"
        aria-disabled={isBusy}
        onClick={() => void create()}
      >
        {texts.create}
      </button>
      <p className="other">
        <Link to="password">{useTexts().setPassword.link}</Link>
      </p>
    </>
  );
}
