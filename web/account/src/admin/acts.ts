/** What administrators can do to an account: when it is offered, and how it is done. */

import { downloadJson } from "../download";
import type { Values } from "../Form";
import { PageError } from "../PageError";
import { proven, request } from "../proof";
import { actBy, session } from "../session";
import { settings } from "../settings";
import { adminTexts } from "./adminTexts";
import * as operations from "./operations";
import { type Account, ROLES, type Role } from "./operations";
import type { AdminTexts } from "./texts/en";

export interface Act {
  /** Its texts are `acts[name]`. */
  name: Exclude<keyof AdminTexts["acts"], Label>;
  permission: string;
  isOffered: (account: Account) => boolean;
  fields: readonly ("reason" | "role" | "username" | "email" | "confirmation")[];
  isDangerous?: boolean;
  /** Whether there is no account afterwards, or the page is another. */
  leaves?: "accounts" | "page";
  run: (account: Account, values: Values) => Promise<unknown>;
}

type Label = KeysOf<AdminTexts["acts"], string>;
type KeysOf<T, V> = { [K in keyof T]: T[K] extends V ? K : never }[keyof T];

export const ACTS: readonly Act[] = [
  {
    name: "disable",
    permission: "DISABLE_ACCOUNTS",
    isOffered: ({ disabledAt }) => !disabledAt,
    fields: ["reason"],
    isDangerous: true,
    run: ({ id }, { reason }) => request(operations.DISABLE_ACCOUNT, { id, reason }),
  },
  {
    name: "enable",
    permission: "DISABLE_ACCOUNTS",
    isOffered: ({ disabledAt }) => disabledAt !== null,
    fields: ["reason"],
    run: ({ id }, { reason }) => request(operations.ENABLE_ACCOUNT, { id, reason }),
  },
  {
    name: "endSessions",
    permission: "END_SESSIONS",
    isOffered: ({ sessions }) => sessions.length > 0,
    fields: ["reason"],
    run: ({ id }, { reason }) => request(operations.END_SESSIONS_OF, { id, reason }),
  },
  {
    name: "requireReset",
    permission: "REQUIRE_PASSWORD_RESETS",
    isOffered: ({ passwordResetRequired }) => settings.sendsMail && !passwordResetRequired,
    fields: ["reason"],
    run: ({ id }, { reason }) => request(operations.REQUIRE_PASSWORD_RESET, { id, reason }),
  },
  {
    name: "removeFactors",
    permission: "REMOVE_SECOND_FACTORS",
    isOffered: ({ id, factors }) =>
      (factors.totp || factors.passkeys.length > 0) && id !== session.state.user?.id,
    fields: ["reason"],
    isDangerous: true,
    run: ({ id }, { reason }) => request(operations.REMOVE_SECOND_FACTORS, { id, reason }),
  },
  {
    name: "correct",
    permission: "CORRECT_ACCOUNTS",
    isOffered: () => true,
    fields: ["username", "email", "reason"],
    run: correct,
  },
  {
    name: "grant",
    permission: "GRANT_ROLES",
    isOffered: (account) => !account.disabledAt && missingRoles(account).length > 0,
    fields: ["role", "reason"],
    run: ({ id }, { role, reason }) => request(operations.GRANT_ROLE, { id, role, reason }),
  },
  {
    name: "revoke",
    permission: "GRANT_ROLES",
    isOffered: ({ roles }) => roles.length > 0,
    fields: ["role", "reason"],
    run: ({ id }, { role, reason }) => request(operations.REVOKE_ROLE, { id, role, reason }),
  },
  {
    name: "impersonate",
    permission: "IMPERSONATE",
    isOffered: ({ roles, disabledAt }) => roles.length === 0 && !disabledAt,
    fields: ["reason"],
    leaves: "page",
    run: ({ id }, { reason }) => proven(() => actBy(operations.IMPERSONATE, { id, reason })),
  },
  {
    name: "export",
    permission: "EXPORT_ACCOUNTS",
    isOffered: () => true,
    fields: ["reason"],
    run: exportData,
  },
  {
    name: "delete",
    permission: "DELETE_ACCOUNTS",
    isOffered: () => true,
    fields: ["reason", "confirmation"],
    isDangerous: true,
    leaves: "accounts",
    run: (account, values) => remove(account, values, false),
  },
  {
    name: "erase",
    permission: "DELETE_ACCOUNTS",
    isOffered: () => true,
    fields: ["reason", "confirmation"],
    isDangerous: true,
    leaves: "accounts",
    run: (account, values) => remove(account, values, true),
  },
];

export function missingRoles({ roles }: Account): Role[] {
  return ROLES.filter((role) => !roles.includes(role));
}

/** Send what differs. */
async function correct(account: Account, values: Values): Promise<void> {
  const [username, email] = [values.username?.trim(), values.email?.trim()];
  const emailVerified = values.emailVerified === "on";
  const input: Record<string, unknown> = {};
  if (username !== account.username) input.username = username;
  if (email !== account.email || (emailVerified && !account.emailVerified)) {
    Object.assign(input, { email, emailVerified });
  }
  if (Object.keys(input).length === 0) throw new PageError(() => adminTexts().acts.unchanged);
  await request(operations.CORRECT_ACCOUNT, { id: account.id, input, reason: values.reason });
}

async function exportData({ id, username }: Account, { reason }: Values): Promise<void> {
  const { exportAccount } = await request<{ exportAccount: unknown }>(operations.EXPORT_ACCOUNT, {
    id,
    reason,
  });
  downloadJson(`${username}.json`, exportAccount);
}

async function remove({ id, username }: Account, values: Values, erase: boolean): Promise<void> {
  if (values.confirmation?.trim().toLowerCase() !== username.toLowerCase()) {
    throw new PageError(() => adminTexts().acts.wrongName, "confirmation");
  }
  await request(operations.DELETE_OTHER_ACCOUNT, { id, reason: values.reason, erase });
}
