import { useState } from "react";
import { Dialog } from "./Dialog";
import { useTexts } from "./texts/language";

/** A button that asks for a confirmation before it does something. */
export function Confirm(props: {
  label: string;
  /** The accessible name, if the label alone is not clear. */
  name?: string;
  title: string;
  text: string;
  confirm: string;
  isBusy: boolean;
  run: () => void;
}) {
  const texts = useTexts();
  const [isAsking, setAsking] = useState(false);

  function confirm() {
    setAsking(false);
    props.run();
  }

  return (
    <>
      <button
        type="button"
        aria-label={props.name}
        aria-disabled={props.isBusy}
        onClick={() => setAsking(!props.isBusy)}
      >
        {props.label}
      </button>
      {isAsking && (
        <Dialog title={props.title} cancel={() => setAsking(false)}>
          <p>{props.text}</p>
          <div className="buttons">
            <button type="button" className="danger" onClick={confirm}>
              {props.confirm}
            </button>
            <button type="button" onClick={() => setAsking(false)}>
              {texts.proof.cancel}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
