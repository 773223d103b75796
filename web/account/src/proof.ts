/**
 * Requests of the pages. One that needs a proof of who the user is opens a dialog, and is repeated
 * after it.
 */

import { type ReauthenticationMethod, withProof } from "@gatehouse/client/proof";
import { useSyncExternalStore } from "react";
import { PageError } from "./PageError";
import { session } from "./session";

export interface PendingProof {
  methods: ReauthenticationMethod[];
  succeed: () => void;
  cancel: () => void;
}

let pending: (PendingProof & { done: Promise<void> }) | undefined;
const listeners = new Set<() => void>();

/** Execute an operation and return its data. */
export function request<T>(document: string, variables?: Record<string, unknown>): Promise<T> {
  return proven(() => session.request<T>(document, variables));
}

/** Execute a mutation that returns a Token, and continue with its tokens. */
export function adoptFrom<T>(document: string, variables?: Record<string, unknown>): Promise<T> {
  return proven(() => session.adoptFrom<T>(document, variables));
}

/** Run something, and once more after a proof if it needs one. */
export function proven<T>(run: () => Promise<T>): Promise<T> {
  return withProof(run, askForProof);
}

/** The proof that a dialog asks for, if one does. */
export function usePendingProof(): PendingProof | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => pending,
  );
}

/** Open the dialog, or wait for the one that is open. Rejects, without a message, on cancel. */
function askForProof(methods: ReauthenticationMethod[]): Promise<void> {
  if (pending) return pending.done;
  const { promise: done, resolve, reject } = withResolvers();
  show({
    methods,
    done,
    succeed: () => {
      show(undefined);
      resolve();
    },
    cancel: () => {
      show(undefined);
      reject(new PageError(() => ""));
    },
  });
  return done;
}

function show(next: typeof pending): void {
  pending = next;
  for (const listener of listeners) listener();
}

function withResolvers() {
  let resolve!: () => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<void>((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}
