import { useState } from "react";
import { setNotice } from "./notice";

/** Change something, one at a time, and keep the error of the last change. */
export function useChange() {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);

  async function change(run: () => Promise<void>): Promise<void> {
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

  return { error, isBusy, change };
}
