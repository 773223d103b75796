/** The message about what has just been done. It stays until another page is shown. */

import { useSyncExternalStore } from "react";
import type { Texts } from "./texts/en";

/** Chooses its text when it is shown, so that it follows the language. */
export type Notice = (texts: Texts) => string;

let notice: Notice | undefined;
const listeners = new Set<() => void>();

export function useNotice(): Notice | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notice,
  );
}

export function setNotice(next: Notice | undefined): void {
  notice = next;
  for (const listener of listeners) listener();
}
