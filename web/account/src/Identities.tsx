import { useEffect, useRef } from "react";
import { Confirm } from "./Confirm";
import { Failure } from "./Failure";
import { setNotice } from "./notice";
import { type Identity, UNLINK } from "./operations";
import { request } from "./proof";
import { goToLink, labelOf, linkByProvider, useProviderCode, useProviderFailure } from "./providers";
import { settings } from "./settings";
import { Time } from "./Time";
import { useTexts } from "./texts/language";
import { useChange } from "./useChange";

/** The accounts at providers that sign the user in. One that is to be linked comes back here. */
export function Identities(props: { identities: Identity[]; reload: () => Promise<void> }) {
  const texts = useTexts().providers;
  const { error, isBusy, change } = useChange();
  const failure = useProviderFailure();
  const code = useProviderCode();
  const section = useRef<HTMLElement>(null);
  const linked = new Set(props.identities.map(({ provider }) => provider));
  const others = settings.providers.filter(({ name }) => !linked.has(name));

  useEffect(() => {
    if (code) void change(finishLink);
    if (code || failure !== undefined) section.current?.scrollIntoView({ block: "nearest" });
  }, [code, failure]);

  async function finishLink() {
    if (!code) return;
    await linkByProvider(code);
    await props.reload();
    setNotice(({ providers }) => providers.linked);
  }

  const unlink = (id: string) =>
    change(async () => {
      await request(UNLINK, { id });
      await props.reload();
      setNotice(({ providers }) => providers.unlinked);
      document.querySelector<HTMLElement>("h1")?.focus();
    });

  if (settings.providers.length === 0 && props.identities.length === 0) return null;
  return (
    <section ref={section} className="card" aria-labelledby="identities">
      <h2 id="identities">{texts.title}</h2>
      <p>{texts.intro}</p>
      {props.identities.length > 0 ? (
        <ul className="rows">
          {props.identities.map((identity) => (
            <IdentityRow
              key={identity.id}
              identity={identity}
              isBusy={isBusy}
              unlink={() => void unlink(identity.id)}
            />
          ))}
        </ul>
      ) : (
        <p className="hint">{texts.none}</p>
      )}
      <Failure error={error ?? failure} />
      {others.length > 0 && (
        <div className="buttons">
          {others.map(({ name, label }) => (
            <button
              key={name}
              type="button"
              aria-disabled={isBusy}
              onClick={() => void change(() => goToLink(name))}
            >
              {texts.link(label)}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}

function IdentityRow(props: { identity: Identity; isBusy: boolean; unlink: () => void }) {
  const texts = useTexts().providers;
  const { provider, email, createdAt, lastUsedAt } = props.identity;
  const label = labelOf(provider);
  return (
    <li>
      <div className="about">
        <strong>{label}</strong>
        {email && <p className="hint">{email}</p>}
        <p className="hint">
          {texts.created} <Time at={createdAt} isExact /> ·{" "}
          {lastUsedAt ? (
            <>
              {texts.lastUsed} <Time at={lastUsedAt} />
            </>
          ) : (
            texts.neverUsed
          )}
        </p>
      </div>
      <div className="buttons">
        <Confirm
          label={texts.unlink}
          name={texts.unlinkNamed(label)}
          title={texts.unlinkTitle(label)}
          text={texts.confirmUnlink(label)}
          confirm={texts.unlink}
          isBusy={props.isBusy}
          run={props.unlink}
        />
      </div>
    </li>
  );
}
