/**
 * The session of these pages. Its refresh token is in a cookie that no script can read. An
 * administrator who acts in place of a user has another one meanwhile, in the memory of this tab.
 */

import { createSession, type Session, type SessionState } from "@gatehouse/client";
import { useSyncExternalStore } from "react";
import { type Notice, setNotice } from "./notice";
import { navigate, type Page } from "./router";

const own = createSession({
  url: new URL("../graphql", location.href).href,
  mode: "cookie",
});

export let session: Session = own;

let acting: Session | undefined;
/** The id of the user in whose place it acts. */
let actingFor = "";
let isStopping = false;

/** The state that the pages show. It stays while a session is being ended. */
let shown = own.state;

const listeners = new Set<() => void>();

// An administrator who signs out in another tab acts for no one in this one.
own.onChange(({ status }) => {
  if (status === "signedOut" && isActing()) void stopActing();
  notify();
});

let farewell: Notice | undefined;
let task: Page | undefined;

export function useSession(): SessionState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
}

/** Whether this tab acts in place of a user. Loading it again ends that. */
export function isActing(): boolean {
  return session !== own;
}

/** Act in place of a user, by a mutation that returns the Token of an impersonated session. */
export async function actBy(document: string, variables: Record<string, unknown>): Promise<void> {
  acting ??= createActing();
  // Sent without the cookie, which stays that of the administrator. The token is only borrowed.
  const accessToken = (await own.accessToken()) ?? "";
  acting.adopt({ accessToken, refreshToken: "", expiresIn: Infinity });
  await acting.adoptFrom(document, variables);
  actingFor = acting.state.user?.id ?? "";
  use(acting, "profile");
}

function createActing(): Session {
  const created = createSession({ url: own.url, mode: "memory" });
  created.onChange(({ status }) => {
    if (status !== "signedOut") notify();
    else if (!isStopping) continueAsOneself();
  });
  return created;
}

/** Stop to act in place of a user, once the server has ended the session: the next page shows it. */
export async function stopActing(): Promise<void> {
  isStopping = true;
  // It also ends by itself soon.
  await session.signOut().catch(() => {});
  isStopping = false;
  continueAsOneself();
}

function continueAsOneself(): void {
  if (!isActing()) return;
  use(own, `admin-account?id=${actingFor}`);
  setNotice(({ acting }) => acting.ended);
}

/** Continue with a session on a page. */
function use(next: Session, page: string): void {
  session = next;
  navigate(page);
  notify();
}

function notify(): void {
  shown = session.state;
  for (const listener of listeners) listener();
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
