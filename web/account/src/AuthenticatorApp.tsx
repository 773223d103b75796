import { Confirm } from "./Confirm";
import { Failure } from "./Failure";
import { Link } from "./Link";
import { setNotice } from "./notice";
import { type Factors, REMOVE_TOTP, REPLACE_RECOVERY_CODES } from "./operations";
import { request } from "./proof";
import { settings } from "./settings";
import { useTexts } from "./texts/language";
import { useChange } from "./useChange";

/** Fewer than this are shown as a warning. */
const FEW_CODES = 3;

/** The authenticator app with its recovery codes. */
export function AuthenticatorApp(props: {
  factors: Factors;
  reload: () => Promise<void>;
  showCodes: (codes: string[]) => void;
}) {
  const texts = useTexts().authenticatorApp;
  const { totp, recoveryCodesLeft } = props.factors;
  if (!totp && !settings.authenticatorApps) return null;
  return (
    <section className="card" aria-labelledby="authenticator-app">
      <h2 id="authenticator-app">
        {texts.title} {totp && <span className="badge">{texts.on}</span>}
      </h2>
      <p>{totp ? texts.isOn : texts.isOff}</p>
      {totp ? (
        <App left={recoveryCodesLeft} reload={props.reload} showCodes={props.showCodes} />
      ) : (
        <p>
          <Link to="authenticator-app">{texts.setUp}</Link>
        </p>
      )}
    </section>
  );
}

function App(props: {
  left: number;
  reload: () => Promise<void>;
  showCodes: (codes: string[]) => void;
}) {
  const texts = useTexts();
  const { authenticatorApp: app, recoveryCodes: codes } = texts;
  const { error, isBusy, change } = useChange();
  const isFew = props.left < FEW_CODES;

  const remove = () =>
    change(async () => {
      await request(REMOVE_TOTP);
      await props.reload();
      setNotice(({ authenticatorApp }) => authenticatorApp.removed);
      document.querySelector<HTMLElement>("h1")?.focus();
    });

  const replaceCodes = () =>
    change(async () => {
      const { replaceRecoveryCodes } = await request<{ replaceRecoveryCodes: string[] }>(
        REPLACE_RECOVERY_CODES,
      );
      props.showCodes(replaceRecoveryCodes);
    });

  return (
    <>
      <p className={isFew ? "few" : undefined}>
        {codes.left(props.left)} {isFew && codes.few}
      </p>
      <Failure error={error} />
      <div className="buttons">
        <Confirm
          label={codes.replace}
          title={codes.replace}
          text={codes.confirmReplace}
          confirm={codes.replace}
          isBusy={isBusy}
          run={() => void replaceCodes()}
        />
        <Confirm
          label={app.remove}
          title={app.remove}
          text={app.confirmRemove}
          confirm={app.remove}
          isBusy={isBusy}
          run={() => void remove()}
        />
      </div>
      {settings.authenticatorApps && (
        <p>
          <Link to="authenticator-app">{app.replace}</Link>
        </p>
      )}
    </>
  );
}
