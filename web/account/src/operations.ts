/** The operations of the pages, and the types of their answers. `tests/` checks them by the schema. */

import type { AcceptedPasskeys, Passkey } from "@gatehouse/client/passkeys";
import type { Identity } from "@gatehouse/client/providers";

export type { Identity, Passkey };

export interface Profile {
  username: string;
  email: string;
  emailVerified: boolean;
  hasPassword: boolean;
  pendingEmail: string | null;
  imageFile: string | null;
  /** The address of the uploaded picture, 256 pixels wide and high. */
  picture: string | null;
  locale: string;
  createdAt: string;
  factors: { passkeys: { id: string }[] };
  identities: { id: string }[];
}

export interface Account {
  email: string;
  emailVerified: boolean;
  hasPassword: boolean;
  needsSecondFactor: boolean;
  factors: Factors;
  identities: Identity[];
}

export interface Factors {
  totp: boolean;
  recoveryCodesLeft: number;
  passkeys: Passkey[];
  acceptedPasskeys: AcceptedPasskeys | null;
}

export interface TotpSetup {
  secret: string;
  uri: string;
  /** An SVG image. */
  qrCode: string;
}

export interface Session {
  id: string;
  isCurrent: boolean;
  device: string | null;
  ip: string | null;
  createdAt: string;
  lastUsedAt: string;
  method: string;
  /** Who acts in place of the owner, if their account is not gone. */
  impersonatedBy: { username: string } | null;
}

export interface SecurityEvent {
  id: string;
  kind: string;
  createdAt: string;
  device: string | null;
  ip: string | null;
  /** Who did it, if that was not the owner. */
  actor: { username: string } | null;
  detail: string | null;
}

/** What the user may do to accounts of others, and who acts in their place in this session. */
export interface Access {
  permissions: string[];
  impersonatedBy: { username: string } | null;
}

export interface MailRequest {
  ticket: string;
  expiresIn: number;
}

const TOKEN = "accessToken refreshToken expiresIn user { id username }";
const PROFILE = "username email emailVerified hasPassword pendingEmail imageFile picture locale createdAt factors { passkeys { id } } identities { id }";
const PASSKEY = "id name isSynced createdAt lastUsedAt";
const SESSION = "id isCurrent device ip createdAt lastUsedAt method impersonatedBy { username }";
const EVENT = "id kind createdAt device ip actor { username } detail";

export const REGISTER = `mutation Register($username: String!, $email: String!, $password: String!, $invitation: String) {
  register(input: { username: $username, email: $email, password: $password }, invitation: $invitation) { ${TOKEN} }
}`;

export const START_REGISTRATION = `mutation StartRegistration($username: String!, $email: String!, $password: String) {
  startRegistration(input: { username: $username, email: $email, password: $password }) {
    ticket expiresIn
  }
}`;

export const FINISH_REGISTRATION = `mutation FinishRegistration($ticket: String!, $code: String!, $username: String) {
  finishRegistration(ticket: $ticket, code: $code, username: $username) { ${TOKEN} }
}`;

export const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { ${TOKEN} }
}`;

export const REQUEST_SIGN_IN = `mutation RequestSignIn($email: String!) {
  requestSignIn(email: $email) { ticket expiresIn }
}`;

export const SIGN_IN_BY_MAIL = `mutation SignInByMail($ticket: String!, $code: String!) {
  signInByMail(ticket: $ticket, code: $code) { ${TOKEN} }
}`;

export const REQUEST_PASSWORD_RESET = `mutation RequestPasswordReset($email: String!) {
  requestPasswordReset(email: $email) { ticket expiresIn }
}`;

export const RESET_PASSWORD = `mutation ResetPassword($token: String!, $newPassword: String!) {
  resetPassword(token: $token, newPassword: $newPassword)
}`;

export const SECURE_ACCOUNT = `mutation SecureAccount($token: String!) {
  secureAccount(token: $token)
}`;

export const READ_PROFILE = `query Profile { me { ${PROFILE} } }`;

export const FOLLOW_PROFILE = `subscription FollowProfile { me { ${PROFILE} } }`;

export const UPDATE_PROFILE = `mutation UpdateProfile($input: UpdateMeInput!) {
  updateMe(input: $input) { ${PROFILE} }
}`;

export const REQUEST_EMAIL_VERIFICATION = `mutation RequestEmailVerification {
  requestEmailVerification { ticket expiresIn }
}`;

export const VERIFY_EMAIL = `mutation VerifyEmail($code: String!) {
  verifyEmail(code: $code) { ${PROFILE} }
}`;

export const REQUEST_EMAIL_CHANGE = `mutation RequestEmailChange($newEmail: String!) {
  requestEmailChange(newEmail: $newEmail) { expiresIn }
}`;

export const CONFIRM_EMAIL_CHANGE = `mutation ConfirmEmailChange($code: String!) {
  confirmEmailChange(code: $code) { ${PROFILE} }
}`;

export const UNDO_EMAIL_CHANGE = `mutation UndoEmailChange($token: String!) { undoEmailChange(token: $token) }`;

export const CHANGE_PASSWORD = `mutation ChangePassword($newPassword: String!) {
  changePassword(newPassword: $newPassword) { ${TOKEN} }
}`;

export const SET_PASSWORD = `mutation SetPassword($newPassword: String!) {
  setPassword(newPassword: $newPassword) { ${TOKEN} }
}`;

export const READ_SECURITY = `query Security {
  me {
    email
    emailVerified
    hasPassword
    needsSecondFactor
    factors {
      totp
      recoveryCodesLeft
      passkeys { ${PASSKEY} }
      acceptedPasskeys
    }
    identities { id provider email createdAt lastUsedAt }
  }
}`;

export const READ_SETUP = `query Setup { me { needsSecondFactor } }`;

export const START_TOTP = `mutation StartTotp { startTotp { secret uri qrCode } }`;

export const CONFIRM_TOTP = `mutation ConfirmTotp($code: String!) { confirmTotp(code: $code) }`;

export const REMOVE_TOTP = `mutation RemoveTotp { removeTotp { id } }`;

export const REPLACE_RECOVERY_CODES = `mutation ReplaceRecoveryCodes { replaceRecoveryCodes }`;

export const RENAME_PASSKEY = `mutation RenamePasskey($id: ID!, $name: String!) {
  renamePasskey(id: $id, name: $name) { ${PASSKEY} }
}`;

export const REMOVE_PASSKEY = `mutation RemovePasskey($id: ID!) { removePasskey(id: $id) }`;

export const UNLINK = `mutation Unlink($id: ID!) { unlink(id: $id) }`;

export const READ_SESSIONS = `query Sessions { me { sessions { ${SESSION} } } }`;

export const FOLLOW_SESSIONS = `subscription FollowSessions { me { sessions { ${SESSION} } } }`;

export const END_SESSION = `mutation EndSession($id: ID!) { endSession(id: $id) }`;

export const END_OTHER_SESSIONS = `mutation EndOtherSessions { logoutEverywhere(exceptThis: true) }`;

export const READ_EVENTS = `query Events($after: String, $kinds: [SecurityEventKind!]) {
  me {
    securityEvents(first: 20, after: $after, kinds: $kinds) {
      edges { node { ${EVENT} } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

export const FOLLOW_EVENTS = `subscription FollowEvents($kinds: [SecurityEventKind!]) {
  securityEvents(kinds: $kinds) { ${EVENT} }
}`;

export const DELETE_ACCOUNT = `mutation DeleteAccount { deleteMe }`;

export const EXPORT_MY_DATA = `mutation ExportMyData { exportMyData }`;

export const READ_ACCESS = `query Access { me { permissions impersonatedBy { username } } }`;
