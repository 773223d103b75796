/** The operations of the pages, and the types of their answers. `tests/` checks them by the schema. */

export interface Profile {
  username: string;
  email: string;
  emailVerified: boolean;
  imageFile: string | null;
  locale: string;
  createdAt: string;
}

export interface Session {
  id: string;
  isCurrent: boolean;
  device: string | null;
  ip: string | null;
  createdAt: string;
  lastUsedAt: string;
}

export interface SecurityEvent {
  id: string;
  kind: string;
  createdAt: string;
  device: string | null;
  ip: string | null;
}

export interface EventPage {
  edges: { node: SecurityEvent }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export interface Token {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
  user: { id: string; username: string };
}

export interface MailRequest {
  expiresIn: number;
}

const TOKEN = "accessToken refreshToken expiresIn user { id username }";
const PROFILE = "username email emailVerified imageFile locale createdAt";

export const REGISTER = `mutation Register($username: String!, $email: String!, $password: String!) {
  register(input: { username: $username, email: $email, password: $password }) { ${TOKEN} }
}`;

export const LOGIN = `mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) { ${TOKEN} }
}`;

export const REQUEST_PASSWORD_RESET = `mutation RequestPasswordReset($email: String!) {
  requestPasswordReset(email: $email) { expiresIn }
}`;

export const RESET_PASSWORD = `mutation ResetPassword($token: String!, $newPassword: String!) {
  resetPassword(token: $token, newPassword: $newPassword)
}`;

export const SECURE_ACCOUNT = `mutation SecureAccount($token: String!) {
  secureAccount(token: $token)
}`;

export const READ_PROFILE = `query Profile { me { ${PROFILE} } }`;

export const UPDATE_PROFILE = `mutation UpdateProfile($input: UpdateMeInput!) {
  updateMe(input: $input) { ${PROFILE} }
}`;

export const REQUEST_EMAIL_VERIFICATION = `mutation RequestEmailVerification {
  requestEmailVerification { expiresIn }
}`;

export const VERIFY_EMAIL = `mutation VerifyEmail($code: String!) {
  verifyEmail(code: $code) { ${PROFILE} }
}`;

export const CHANGE_PASSWORD = `mutation ChangePassword($currentPassword: String!, $newPassword: String!) {
  changePassword(currentPassword: $currentPassword, newPassword: $newPassword) { ${TOKEN} }
}`;

export const READ_SESSIONS = `query Sessions {
  me { sessions { id isCurrent device ip createdAt lastUsedAt } }
}`;

export const END_SESSION = `mutation EndSession($id: ID!) { endSession(id: $id) }`;

export const END_OTHER_SESSIONS = `mutation EndOtherSessions { logoutEverywhere(exceptThis: true) }`;

export const READ_EVENTS = `query Events($after: String, $kinds: [SecurityEventKind!]) {
  me {
    securityEvents(first: 20, after: $after, kinds: $kinds) {
      edges { node { id kind createdAt device ip } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

export const DELETE_ACCOUNT = `mutation DeleteAccount($password: String!) { deleteMe(password: $password) }`;
