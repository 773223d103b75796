import { useRef, useState, type ChangeEvent, type DragEvent } from "react";
import { Confirm } from "./Confirm";
import { CropDialog } from "./CropDialog";
import { Failure } from "./Failure";
import { setNotice } from "./notice";
import type { Profile } from "./operations";
import { open, remove, TYPES, upload } from "./pictures";
import { settings } from "./settings";
import { useTexts } from "./texts/language";
import { useChange } from "./useChange";

/** Shows the picture of the user, and lets them choose another one or remove it. */
export function Picture(props: { profile: Profile; onSave: (saved: Profile) => void }) {
  const { profile } = props;
  const texts = useTexts().picture;
  const address = profile.picture ?? loadable(profile.imageFile);
  const { error, isBusy, change } = useChange();
  const [chosen, setChosen] = useState<ImageBitmap>();
  const input = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  const choose = (file: File) => change(async () => setChosen(await open(file)));

  function close() {
    chosen?.close();
    setChosen(undefined);
  }

  async function save(file: Blob) {
    props.onSave({ ...profile, picture: await upload(file) });
    close();
    setNotice(({ picture }) => picture.saved);
  }

  const removeIt = () =>
    change(async () => {
      await remove();
      props.onSave({ ...profile, picture: null });
      setNotice(({ picture }) => picture.removed);
      // The button that had the focus is gone.
      button.current?.focus();
    });

  function drop(event: DragEvent) {
    event.preventDefault();
    const [file] = event.dataTransfer.files;
    if (file) void choose(file);
  }

  function take({ target }: ChangeEvent<HTMLInputElement>) {
    const [file] = target.files ?? [];
    if (file) void choose(file);
    // The same file can be chosen again.
    target.value = "";
  }

  return (
    <section
      className="card picture"
      aria-labelledby="picture"
      onDragOver={(event) => event.preventDefault()}
      onDrop={drop}
    >
      <Portrait address={address} letter={profile.username.slice(0, 1)} />
      <div className="about">
        <h2 id="picture">{texts.title}</h2>
        <p className="hint">{texts.intro}</p>
        {!address && profile.imageFile && <p className="hint">{texts.elsewhere}</p>}
        <Failure error={error} />
        <div className="buttons">
          <button
            ref={button}
            type="button"
            aria-disabled={isBusy}
            onClick={() => !isBusy && input.current?.click()}
          >
            {texts.choose}
          </button>
          {profile.picture && (
            <Confirm
              label={texts.remove}
              name={texts.removeNamed}
              title={texts.removeTitle}
              text={texts.confirmRemove}
              confirm={texts.remove}
              isBusy={isBusy}
              run={() => void removeIt()}
            />
          )}
        </div>
        <input ref={input} type="file" accept={TYPES} hidden onChange={take} />
      </div>
      {chosen && <CropDialog picture={chosen} save={save} cancel={close} />}
    </section>
  );
}

/** The picture or, without one that can be loaded, a letter. */
function Portrait({ address, letter }: { address: string | undefined; letter: string }) {
  const texts = useTexts().picture;
  const [missing, setMissing] = useState<string>();
  if (!address || address === missing) {
    return (
      <span className="portrait" aria-hidden="true">
        {letter}
      </span>
    );
  }
  return (
    <img
      className="portrait"
      src={address}
      alt={texts.yours}
      onError={() => setMissing(address)}
    />
  );
}

/** Return an address if the policy of the pages allows it: they load nothing from other servers. */
function loadable(address: string | null): string | undefined {
  if (!address || !URL.canParse(address)) return undefined;
  const isAllowed = [location.origin, settings.pictures].includes(new URL(address).origin);
  return isAllowed ? address : undefined;
}
