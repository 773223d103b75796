/** The session of these pages. Its refresh token is in a cookie that no script can read. */

import { createSession, type SessionState } from "@gatehouse/client";
import { useSyncExternalStore } from "react";
import { type Notice, setNotice } from "./notice";
import type { Page } from "./router";

export const session = createSession({
  url: new URL("../graphql", location.href).href,
  mode: "cookie",
});

let farewell: Notice | undefined;
let task: Page | undefined;

export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => session.onChange(listener),
    () => session.state,
  );
}

/** Sign out on purpose. The notice is shown on the page that follows. */
export async function leave(notice: Notice): Promise<void> {
  farewell = notice;
  try {
    await session.signOut();
  } catch {
    setNotice(({ notices }) => notices.perhapsActive);
  }
}

/** Return the notice of `leave`, once: undefined means that the session ended by itself. */
export function takeFarewell(): Notice | undefined {
  const notice = farewell;
  farewell = undefined;
  return notice;
}

/** Show a page right after the sign-in that follows, before the page that it returns to. */
export function setTask(next: Page): void {
  task = next;
}

export function nextTask(): Page | undefined {
  return task;
}

/** Return the page of `setTask`, once. */
export function takeTask(): Page | undefined {
  const taken = task;
  task = undefined;
  return taken;
}
