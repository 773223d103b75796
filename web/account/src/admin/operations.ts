/** The operations of administrators, and the types of their answers. */

import type { Session } from "../operations";

export type Role = "ADMIN" | "SUPPORT";

export const ROLES: readonly Role[] = ["ADMIN", "SUPPORT"];

/** An account in a list. */
export interface AccountEntry {
  id: string;
  username: string;
  email: string;
  roles: Role[];
  disabledAt: string | null;
  lastSeenAt: string | null;
}

export interface Account extends AccountEntry {
  emailVerified: boolean;
  createdAt: string;
  disabledReason: string | null;
  passwordResetRequired: boolean;
  factors: {
    totp: boolean;
    recoveryCodesLeft: number;
    passkeys: { id: string; name: string; createdAt: string; lastUsedAt: string | null }[];
  };
  identities: { id: string; provider: string; email: string | null; createdAt: string }[];
  sessions: Session[];
}

const ENTRY = "id username email roles disabledAt lastSeenAt";
const SESSION = "id isCurrent device ip createdAt lastUsedAt method impersonatedBy { username }";
const EVENT = "id kind createdAt device ip actor { username } detail";

export const READ_ACCOUNTS = `query Accounts($search: String, $role: Role, $disabled: Boolean, $after: String) {
  accounts(search: $search, role: $role, disabled: $disabled, after: $after) {
    edges { node { ${ENTRY} } }
    pageInfo { hasNextPage endCursor }
  }
}`;

export const READ_ACCOUNT = `query Account($id: ID!) {
  account(id: $id) {
    ${ENTRY}
    emailVerified
    createdAt
    disabledReason
    passwordResetRequired
    factors { totp recoveryCodesLeft passkeys { id name createdAt lastUsedAt } }
    identities { id provider email createdAt }
    sessions { ${SESSION} }
  }
}`;

export const READ_ACCOUNT_EVENTS = `query AccountEvents($id: ID!, $after: String, $kinds: [SecurityEventKind!]) {
  account(id: $id) {
    securityEvents(first: 20, after: $after, kinds: $kinds) {
      edges { node { ${EVENT} } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

export const DISABLE_ACCOUNT = `mutation DisableAccount($id: ID!, $reason: String!) {
  disableAccount(id: $id, reason: $reason) { id }
}`;

export const ENABLE_ACCOUNT = `mutation EnableAccount($id: ID!, $reason: String!) {
  enableAccount(id: $id, reason: $reason) { id }
}`;

export const REQUIRE_PASSWORD_RESET = `mutation RequirePasswordReset($id: ID!, $reason: String!) {
  requirePasswordReset(id: $id, reason: $reason) { id }
}`;

export const REMOVE_SECOND_FACTORS = `mutation RemoveSecondFactors($id: ID!, $reason: String!) {
  removeSecondFactors(id: $id, reason: $reason) { id }
}`;

export const END_SESSIONS_OF = `mutation EndSessionsOf($id: ID!, $reason: String!) {
  endSessionsOf(id: $id, reason: $reason)
}`;

export const GRANT_ROLE = `mutation GrantRole($id: ID!, $role: Role!, $reason: String!) {
  grantRole(id: $id, role: $role, reason: $reason) { id }
}`;

export const REVOKE_ROLE = `mutation RevokeRole($id: ID!, $role: Role!, $reason: String!) {
  revokeRole(id: $id, role: $role, reason: $reason) { id }
}`;

export const IMPERSONATE = `mutation Impersonate($id: ID!, $reason: String!) {
  impersonate(id: $id, reason: $reason) {
    accessToken refreshToken expiresIn user { id username }
  }
}`;

export const CORRECT_ACCOUNT = `mutation CorrectAccount($id: ID!, $input: CorrectionInput!, $reason: String!) {
  correctAccount(id: $id, input: $input, reason: $reason) { id }
}`;

export const DELETE_OTHER_ACCOUNT = `mutation DeleteOtherAccount($id: ID!, $reason: String!, $erase: Boolean!) {
  deleteAccount(id: $id, reason: $reason, erase: $erase)
}`;

export const EXPORT_ACCOUNT = `mutation ExportAccount($id: ID!, $reason: String!) {
  exportAccount(id: $id, reason: $reason)
}`;

export const INVITE = `mutation Invite($email: String!) { invite(email: $email) { expiresAt } }`;
