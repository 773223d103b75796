import { useState } from "react";
import { Failure } from "./Failure";
import { setNotice } from "./notice";

/** A button that does something, with the message of its error. */
export function Action({ label, run }: { label: string; run: () => Promise<void> }) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  async function press() {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    setNotice(undefined);
    try {
      await run();
    } catch (error) {
      setError(error);
    }
    setBusy(false);
  }

  return (
    <div className="another">
      <Failure error={error} />
      <button type="button" aria-disabled={isBusy} onClick={() => void press()}>
        {label}
      </button>
    </div>
  );
}
