import { useState } from "react";
import { Confirm } from "./Confirm";
import { Dialog } from "./Dialog";
import { Failure } from "./Failure";
import { Field } from "./Field";
import { Form } from "./Form";
import { setNotice } from "./notice";
import { type Passkey, REMOVE_PASSKEY, RENAME_PASSKEY } from "./operations";
import { addPasskey, hasPasskeys } from "./passkeys";
import { request } from "./proof";
import { settings } from "./settings";
import { Time } from "./Time";
import { useTexts } from "./texts/language";
import { useChange } from "./useChange";

/** The passkeys of the user. */
export function Passkeys(props: { passkeys: Passkey[]; reload: () => Promise<void> }) {
  const texts = useTexts().passkeys;
  const { error, isBusy, change } = useChange();
  if (!settings.passkeys && props.passkeys.length === 0) return null;

  const add = () =>
    change(async () => {
      await addPasskey();
      await props.reload();
      setNotice(({ passkeys }) => passkeys.added);
    });

  const remove = (id: string) =>
    change(async () => {
      await request(REMOVE_PASSKEY, { id });
      await props.reload();
      setNotice(({ passkeys }) => passkeys.removed);
      document.querySelector<HTMLElement>("h1")?.focus();
    });

  async function rename(id: string, name: string) {
    setNotice(undefined);
    await request(RENAME_PASSKEY, { id, name });
    await props.reload();
    setNotice(({ passkeys }) => passkeys.renamed);
  }

  return (
    <section className="card" aria-labelledby="passkeys">
      <h2 id="passkeys">{texts.title}</h2>
      <p>{texts.intro}</p>
      {props.passkeys.length > 0 ? (
        <ul className="rows">
          {props.passkeys.map((passkey) => (
            <PasskeyRow
              key={passkey.id}
              passkey={passkey}
              isBusy={isBusy}
              rename={(name) => rename(passkey.id, name)}
              remove={() => void remove(passkey.id)}
            />
          ))}
        </ul>
      ) : (
        <p className="hint">{texts.none}</p>
      )}
      <Failure error={error} />
      <AddPasskey isBusy={isBusy} add={() => void add()} />
    </section>
  );
}

function AddPasskey({ isBusy, add }: { isBusy: boolean; add: () => void }) {
  const texts = useTexts().passkeys;
  if (hasPasskeys) {
    return (
      <button type="button" aria-disabled={isBusy} onClick={add}>
        {texts.add}
      </button>
    );
  }
  if (!settings.passkeys) return null;
  const isElsewhere = !`.${location.hostname}`.endsWith(`.${settings.passkeys}`);
  return (
    <p className="hint">{isElsewhere ? texts.elsewhere(settings.passkeys) : texts.unsupported}</p>
  );
}

function PasskeyRow(props: {
  passkey: Passkey;
  isBusy: boolean;
  rename: (name: string) => Promise<void>;
  remove: () => void;
}) {
  const texts = useTexts().passkeys;
  const { name, isSynced, createdAt, lastUsedAt } = props.passkey;
  return (
    <li>
      <div className="about">
        <strong>{name}</strong>
        <p className="hint">{isSynced ? texts.synced : texts.notSynced}</p>
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
        <Rename passkey={props.passkey} isBusy={props.isBusy} rename={props.rename} />
        <Confirm
          label={texts.remove}
          name={texts.removeNamed(name)}
          title={texts.removeTitle(name)}
          text={texts.confirmRemove}
          confirm={texts.remove}
          isBusy={props.isBusy}
          run={props.remove}
        />
      </div>
    </li>
  );
}

function Rename(props: {
  passkey: Passkey;
  isBusy: boolean;
  rename: (name: string) => Promise<void>;
}) {
  const texts = useTexts();
  const [isAsking, setAsking] = useState(false);
  const { name } = props.passkey;

  async function save(typed: string) {
    await props.rename(typed.trim());
    setAsking(false);
  }

  return (
    <>
      <button
        type="button"
        aria-label={texts.passkeys.renameNamed(name)}
        aria-disabled={props.isBusy}
        onClick={() => setAsking(!props.isBusy)}
      >
        {texts.passkeys.rename}
      </button>
      {isAsking && (
        <Dialog title={texts.passkeys.renameTitle} cancel={() => setAsking(false)}>
          <Form submit={texts.passkeys.save} send={({ name = "" }) => save(name)}>
            <Field
              name="name"
              label={texts.fields.passkeyName}
              autoComplete="off"
              autoCapitalize="sentences"
              defaultValue={name}
            />
          </Form>
          <button type="button" onClick={() => setAsking(false)}>
            {texts.proof.cancel}
          </button>
        </Dialog>
      )}
    </>
  );
}
