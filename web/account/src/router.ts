/** The pages and their addresses. All are beside each other, so that links between them are relative. */

import { useSyncExternalStore } from "react";
import { setNotice } from "./notice";

// As in api/account_pages.py.
export const PAGES = [
  "login",
  "login-by-code",
  "second-factor",
  "finish-sign-in",
  "sign-up",
  "forgot-password",
  "reset-password",
  "secure-account",
  "profile",
  "verify-email",
  "change-email",
  "undo-email-change",
  "security",
  "password",
  "authenticator-app",
  "new-passkey",
  "sessions",
  "events",
  "delete",
  "admin",
  "admin-account",
] as const;

export type Page = (typeof PAGES)[number];

const listeners = new Set<() => void>();

window.addEventListener("popstate", notify);

export function useAddress(): URL {
  const href = useSyncExternalStore(subscribe, () => location.href);
  return new URL(href);
}

/** Return the page at an address, or undefined if there is none. */
export function pageAt(address: URL): Page | undefined {
  const name = address.pathname.split("/").at(-1);
  return PAGES.find((page) => page === name);
}

/** Show another of our pages. `replace` leaves the current one out of the browser's history. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  history[options.replace ? "replaceState" : "pushState"](null, "", to);
  notify();
}

/** Go to an address: without loading the document again if it is one of our pages. */
export function goTo(address: URL): void {
  const isOurs = new URL(".", address).href === new URL(".", location.href).href;
  if (isOurs && pageAt(address)) navigate(address.href, { replace: true });
  else location.replace(address);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function notify(): void {
  setNotice(undefined);
  for (const listener of listeners) listener();
}
