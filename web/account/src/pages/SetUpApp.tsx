import { GatehouseError } from "@gatehouse/client";
import { useEffect, useState } from "react";
import { Action } from "../Action";
import { EmailVerification } from "../EmailVerification";
import { Failure } from "../Failure";
import { Field } from "../Field";
import { Form } from "../Form";
import { Loading } from "../Frame";
import { Link } from "../Link";
import { setNotice } from "../notice";
import { type Account, CONFIRM_TOTP, READ_SECURITY, START_TOTP, type TotpSetup } from "../operations";
import { addPasskey, hasPasskeys, proveByPasskey } from "../passkeys";
import { request } from "../proof";
import { RecoveryCodes } from "../RecoveryCodes";
import { goTo } from "../router";
import { session } from "../session";
import { settings } from "../settings";
import { useTexts } from "../texts/language";
import { useQuery } from "../useQuery";

/** Set up an authenticator app, or a passkey where the server requires a second factor. */
export function SetUpApp({ returnTo }: { returnTo: URL | undefined }) {
  const texts = useTexts();
  const { data, error, load } = useQuery<{ me: Account }>(READ_SECURITY);
  const [codes, setCodes] = useState<string[]>();
  const leave = () => goTo(returnTo ?? new URL("security", location.href));

  if (error !== undefined) return <Failure error={error} retry={load} />;
  if (!data) return <Loading />;
  if (codes) return <RecoveryCodes codes={codes} done={leave} />;
  const { email, emailVerified, factors, needsSecondFactor } = data.me;
  if (settings.sendsMail && !emailVerified) {
    return (
      <>
        <p className="intro">{texts.security.verifyFirst}</p>
        <EmailVerification email={email} onVerified={() => void load()} />
      </>
    );
  }
  return (
    <>
      {needsSecondFactor && <p className="intro">{texts.authenticatorApp.required}</p>}
      {settings.authenticatorApps && <NewApp isReplacing={factors.totp} showCodes={setCodes} />}
      {needsSecondFactor ? (
        hasPasskeys && <PasskeyInstead hasOne={factors.passkeys.length > 0} done={leave} />
      ) : (
        <p className="other">
          <Link to="security">{texts.security.toSecurity}</Link>
        </p>
      )}
    </>
  );
}

function NewApp(props: { isReplacing: boolean; showCodes: (codes: string[]) => void }) {
  const { authenticatorApp: texts, fields, hints, factors } = useTexts();
  const [setup, setSetup] = useState<TotpSetup>();
  const [error, setError] = useState<unknown>();

  /** Read the secret. For ten minutes it is the same. */
  async function start(): Promise<TotpSetup> {
    const { startTotp } = await request<{ startTotp: TotpSetup }>(START_TOTP);
    setSetup(startTotp);
    setError(undefined);
    return startTotp;
  }

  useEffect(() => void start().catch(setError), []);

  async function confirm(code: string) {
    try {
      const { confirmTotp } = await request<{ confirmTotp: string[] }>(CONFIRM_TOTP, { code });
      // The next access token says that there is a second factor.
      await session.refresh().catch(() => undefined);
      setNotice(({ authenticatorApp }) => authenticatorApp.done);
      props.showCodes(confirmTotp);
    } catch (error) {
      const isWrong = error instanceof GatehouseError && error.code === "INVALID_CODE";
      // A secret ends after some time or some wrong codes, and the server does not say so.
      if (isWrong && (await start()).secret !== setup?.secret) {
        setNotice(({ authenticatorApp }) => authenticatorApp.changed);
      }
      throw error;
    }
  }

  if (!setup) {
    if (error === undefined) return <Loading />;
    return (
      <>
        <Failure error={error} />
        <Action label={texts.start} run={async () => void (await start())} />
      </>
    );
  }
  return (
    <div className="card">
      <p>
        {texts.intro} {props.isReplacing && texts.keepsWorking}
      </p>
      <img
        className="qr-code"
        src={`data:image/svg+xml,${encodeURIComponent(setup.qrCode)}`}
        alt={texts.picture}
      />
      <p>
        {texts.secret} <code className="secret">{inGroups(setup.secret)}</code>
      </p>
      <p>
        <a href={setup.uri}>{texts.open}</a>
      </p>
      <Form
        submit={texts.submit}
        invalidCode={factors.wrongCode}
        send={({ code = "" }) => confirm(code)}
      >
        <Field
          name="code"
          label={fields.appCode}
          hint={hints.appCode}
          autoComplete="one-time-code"
          inputMode="numeric"
        />
      </Form>
    </div>
  );
}

/** A passkey counts as a second factor once it has proven who the user is. */
function PasskeyInstead({ hasOne, done }: { hasOne: boolean; done: () => void }) {
  const texts = useTexts();
  const [isAdded, setAdded] = useState(hasOne);

  async function use() {
    if (!isAdded) await addPasskey();
    setAdded(true);
    await proveByPasskey();
    done();
  }

  return (
    <section className="card" aria-labelledby="passkey-instead">
      <h2 id="passkey-instead">{texts.passkeys.title}</h2>
      <p>{texts.authenticatorApp.orPasskey}</p>
      <Action label={isAdded ? texts.factors.usePasskey : texts.passkeys.add} run={use} />
    </section>
  );
}

function inGroups(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(" ") ?? secret;
}
