import { useEffect, useState } from "react";
import { AuthenticatorApp } from "../AuthenticatorApp";
import { EmailVerification } from "../EmailVerification";
import { Failure } from "../Failure";
import { Loading } from "../Frame";
import { Identities } from "../Identities";
import { Link } from "../Link";
import { type Account, READ_SECURITY } from "../operations";
import { signalPasskeys } from "../passkeys";
import { Passkeys } from "../Passkeys";
import { RecoveryCodes } from "../RecoveryCodes";
import { settings } from "../settings";
import { useTexts } from "../texts/language";
import { useQuery } from "../useQuery";

/** How the user signs in: the password, the authenticator app, the passkeys and the providers. */
export function Security() {
  const texts = useTexts();
  const { data, error, load } = useQuery<{ me: Account }>(READ_SECURITY);
  const [newCodes, setNewCodes] = useState<string[]>();

  useEffect(() => void signalPasskeys(data?.me), [data]);

  if (error !== undefined) return <Failure error={error} retry={load} />;
  if (!data) return <Loading />;
  const { me } = data;
  if (newCodes) {
    return (
      <RecoveryCodes codes={newCodes} done={() => void load().then(() => setNewCodes(undefined))} />
    );
  }
  return (
    <>
      <p className="intro">{texts.security.intro}</p>
      <Password hasOne={me.hasPassword} />
      {settings.sendsMail && !me.emailVerified && (
        <>
          <p>{texts.security.verifyFirst}</p>
          <EmailVerification email={me.email} onVerified={() => void load()} />
        </>
      )}
      <AuthenticatorApp factors={me.factors} reload={load} showCodes={setNewCodes} />
      <Passkeys passkeys={me.factors.passkeys} reload={load} />
      <Identities identities={me.identities} reload={load} />
    </>
  );
}

function Password({ hasOne }: { hasOne: boolean }) {
  const texts = useTexts();
  const { passwordIsSet, noPassword, changePassword, setPassword } = texts.security;
  return (
    <section className="card" aria-labelledby="password">
      <h2 id="password">{texts.pages.password}</h2>
      <p>{hasOne ? passwordIsSet : noPassword}</p>
      <p>
        <Link to="password">{hasOne ? changePassword : setPassword}</Link>
      </p>
    </section>
  );
}
