/**
 * The sign-in of this tab that waits for its second step. It outlives a reload. Without a factor,
 * its ticket is worth nothing.
 */

import type { SecondFactor, SecondFactorChallenge } from "@gatehouse/client/second-factor";

export interface Challenge {
  ticket: string;
  methods: SecondFactor[];
  /** In milliseconds since 1970. */
  expiresAt: number;
  /** How many codes were wrong. */
  failures: number;
}

/** The number of wrong codes that a ticket takes. The server does not say that it was the last. */
const MAX_FAILURES = 5;

const KEY = "account:second-factor";

let challenge = saved();

export function currentChallenge(): Challenge | undefined {
  return challenge && challenge.expiresAt > Date.now() ? challenge : undefined;
}

export function keepChallenge({ ticket, methods, expiresIn }: SecondFactorChallenge): void {
  save({ ticket, methods, expiresAt: Date.now() + expiresIn * 1000, failures: 0 });
}

/** Count a wrong code, and return whether the ticket takes another one. */
export function countFailure(): boolean {
  if (!challenge) return false;
  save({ ...challenge, failures: challenge.failures + 1 });
  return challenge.failures < MAX_FAILURES;
}

export function forgetChallenge(): void {
  save(undefined);
}

function saved(): Challenge | undefined {
  try {
    const text = sessionStorage.getItem(KEY);
    return text ? (JSON.parse(text) as Challenge) : undefined;
  } catch {
    return undefined;
  }
}

function save(next: Challenge | undefined): void {
  challenge = next;
  try {
    if (next) sessionStorage.setItem(KEY, JSON.stringify(next));
    else sessionStorage.removeItem(KEY);
  } catch {
    // The browser blocks it: the sign-in continues in this tab, until it is loaded again.
  }
}
