import { useState } from "react";
import { useReloadAccess } from "../access";
import { Failure } from "../Failure";
import { Loading } from "../Frame";
import { Link } from "../Link";
import type { SecurityEvent } from "../operations";
import { PageError } from "../PageError";
import type { Connection } from "../PagedList";
import { EventList } from "../pages/Events";
import { SessionRow } from "../pages/Sessions";
import { useAddress } from "../router";
import { session } from "../session";
import { Time } from "../Time";
import { useTexts } from "../texts/language";
import { useQuery } from "../useQuery";
import { Acts } from "./Acts";
import { useAdminTexts } from "./adminTexts";
import { Facts } from "./Facts";
import { type Account, READ_ACCOUNT, READ_ACCOUNT_EVENTS } from "./operations";

/** The account of a user, and what an administrator can do to it. */
export function OneAccount() {
  const id = useAddress().searchParams.get("id") ?? "";
  return (
    <>
      <p>
        <Link to="admin">{useAdminTexts().account.back}</Link>
      </p>
      <Content key={id} id={id} />
    </>
  );
}

function Content({ id }: { id: string }) {
  const texts = useAdminTexts().account;
  const reloadAccess = useReloadAccess();
  const { data, error, load } = useQuery<{ account: Account | null }>(READ_ACCOUNT, { id });
  const [changes, setChanges] = useState(0);

  /** Show the account as it is now. The button may be gone, and the focus with it. */
  async function reload() {
    await load();
    setChanges((changes) => changes + 1);
    document.querySelector<HTMLElement>("h1")?.focus();
    if (id === session.state.user?.id) await reloadAccess();
  }

  if (error !== undefined) return <Failure error={error} retry={load} />;
  if (!data) return <Loading />;
  const { account } = data;
  if (!account) return <p className="hint">{texts.none}</p>;
  return (
    <>
      <Facts account={account} />
      <Acts account={account} reload={reload} />
      <Factors factors={account.factors} />
      <Identities identities={account.identities} />
      <Sessions sessions={account.sessions} />
      {/* Another key reads them again. */}
      <Events key={changes} account={account} />
    </>
  );
}

function Factors({ factors }: { factors: Account["factors"] }) {
  const texts = useAdminTexts().account;
  const { lastUsed, neverUsed } = useTexts().passkeys;
  const hasNone = !factors.totp && factors.passkeys.length === 0;
  return (
    <section className="card" aria-labelledby="factors">
      <h2 id="factors">{texts.factors}</h2>
      {hasNone && <p className="hint">{texts.noFactors}</p>}
      {!hasNone && (
        <ul className="rows">
          {factors.totp && (
            <li>
              <div className="about">
                <strong>{texts.app}</strong>
                <p className="hint">{texts.codesLeft(factors.recoveryCodesLeft)}</p>
              </div>
            </li>
          )}
          {factors.passkeys.map(({ id, name, createdAt, lastUsedAt }) => (
            <li key={id}>
              <div className="about">
                <strong>{name}</strong>
                <p className="hint">
                  {texts.added} <Time at={createdAt} isExact /> ·{" "}
                  {lastUsedAt ? (
                    <>
                      {lastUsed} <Time at={lastUsedAt} />
                    </>
                  ) : (
                    neverUsed
                  )}
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Identities({ identities }: { identities: Account["identities"] }) {
  const texts = useAdminTexts().account;
  return (
    <section className="card" aria-labelledby="identities">
      <h2 id="identities">{texts.identities}</h2>
      {identities.length === 0 && <p className="hint">{texts.noIdentities}</p>}
      {identities.length > 0 && (
        <ul className="rows">
          {identities.map(({ id, provider, email, createdAt }) => (
            <li key={id}>
              <div className="about">
                <strong>{provider}</strong>
                <p className="hint">
                  {email && `${email} · `}
                  {texts.added} <Time at={createdAt} isExact />
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Sessions({ sessions }: { sessions: Account["sessions"] }) {
  const texts = useAdminTexts().account;
  return (
    <section className="card" aria-labelledby="sessions">
      <h2 id="sessions">{texts.sessions}</h2>
      {sessions.length === 0 && <p className="hint">{texts.noSessions}</p>}
      {sessions.length > 0 && (
        <ul className="rows">
          {sessions.map((each) => (
            <SessionRow key={each.id} session={each} impersonated={texts.impersonated} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Events({ account }: { account: Account }) {
  const texts = useAdminTexts();
  return (
    <section className="stack" aria-labelledby="events">
      <h2 id="events">{texts.account.events}</h2>
      <EventList
        read={(kinds, after) => readEvents(account.id, kinds, after)}
        kinds={texts.kinds}
      />
    </section>
  );
}

async function readEvents(id: string, kinds: string[] | null, after: string | null) {
  const { account } = await session.request<{
    account: { securityEvents: Connection<SecurityEvent> } | null;
  }>(READ_ACCOUNT_EVENTS, { id, kinds, after });
  if (!account) throw new PageError(({ errors }) => errors.notFound);
  return account.securityEvents;
}
