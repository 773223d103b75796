"""The GraphQL documents that more than one test file sends, named after their fields."""

REGISTER = """
mutation Register($username: String!, $email: String!, $password: String!) {
  register(input: { username: $username, email: $email, password: $password }) {
    accessToken tokenType expiresIn refreshToken
    user { id username email imageFile createdAt }
  }
}
"""

START_REGISTRATION = """
mutation Start($username: String!, $email: String!, $password: String!) {
  startRegistration(input: { username: $username, email: $email, password: $password }) {
    ticket expiresIn retryAfter
  }
}
"""
FINISH_REGISTRATION = """
mutation Finish($ticket: String!, $code: String!, $username: String) {
  finishRegistration(ticket: $ticket, code: $code, username: $username) {
    accessToken refreshToken user { id username email }
  }
}
"""

LOGIN = """
mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) {
    accessToken tokenType expiresIn refreshToken
    user { id username email }
  }
}
"""

REFRESH = """
mutation Refresh($token: String!) {
  refresh(refreshToken: $token) { accessToken tokenType expiresIn refreshToken user { id username email } }
}
"""

IMPERSONATE = """
mutation Impersonate($id: ID!) {
  impersonate(id: $id, reason: "to look") { accessToken refreshToken user { id username } }
}
"""

LOGOUT = "mutation { logout }"
LOGOUT_EVERYWHERE = "mutation ($but: Boolean) { logoutEverywhere(exceptThis: $but) }"
END_SESSION = "mutation ($id: ID!) { endSession(id: $id) }"

CHANGE_PASSWORD = """
mutation Change($current: String, $new: String!) {
  changePassword(currentPassword: $current, newPassword: $new) { accessToken refreshToken user { id } }
}
"""

REQUEST_EMAIL_VERIFICATION = "mutation { requestEmailVerification { ticket expiresIn retryAfter } }"
VERIFY_EMAIL = """
mutation Verify($code: String!) { verifyEmail(code: $code) { id emailVerified } }
"""

REQUEST_SIGN_IN = """
mutation Request($email: String!) { requestSignIn(email: $email) { ticket expiresIn retryAfter } }
"""
SIGN_IN_BY_MAIL = """
mutation SignIn($ticket: String!, $code: String!) {
  signInByMail(ticket: $ticket, code: $code) {
    accessToken refreshToken user { id username email emailVerified hasPassword }
  }
}
"""
START_PASSKEY = "mutation { startPasskey { ticket options } }"
FINISH_PASSKEY = """
mutation Finish($answer: PasskeyAnswer!, $name: String) {
  finishPasskey(answer: $answer, name: $name) { id name isSynced createdAt lastUsedAt }
}
"""
START_PASSKEY_SIGN_IN = "mutation { startPasskeySignIn { ticket options } }"
SIGN_IN_BY_PASSKEY = """
mutation SignIn($answer: PasskeyAnswer!) {
  signInByPasskey(answer: $answer) { accessToken refreshToken user { id username email } }
}
"""
RENAME_PASSKEY = """
mutation Rename($id: ID!, $name: String!) {
  renamePasskey(id: $id, name: $name) { id name isSynced createdAt lastUsedAt }
}
"""
REMOVE_PASSKEY = "mutation Remove($id: ID!) { removePasskey(id: $id) }"

REQUEST_EMAIL_CHANGE = """
mutation Request($email: String!, $password: String) {
  requestEmailChange(newEmail: $email, currentPassword: $password) { ticket expiresIn retryAfter }
}
"""
CONFIRM_EMAIL_CHANGE = """
mutation Confirm($code: String!) {
  confirmEmailChange(code: $code) { id email emailVerified pendingEmail }
}
"""
UNDO_EMAIL_CHANGE = "mutation Undo($token: String!) { undoEmailChange(token: $token) }"

REQUEST_PASSWORD_RESET = """
mutation Request($email: String!) { requestPasswordReset(email: $email) { ticket expiresIn retryAfter } }
"""
RESET_PASSWORD = """
mutation Reset($token: String!, $new: String!) { resetPassword(token: $token, newPassword: $new) }
"""

SECURE_ACCOUNT = "mutation ($token: String!) { secureAccount(token: $token) }"

UPDATE_ME = """
mutation Update($input: UpdateMeInput!) {
  updateMe(input: $input) { id username email imageFile }
}
"""

DELETE_ME = "mutation ($password: String) { deleteMe(password: $password) }"

ME = "{ me { id username email imageFile createdAt } }"
SESSIONS = "{ me { sessions { id isCurrent method device ip createdAt lastUsedAt expiresAt } } }"

SECURITY_EVENTS = """
query ($first: Int, $after: String, $kinds: [SecurityEventKind!]) {
  me { securityEvents(first: $first, after: $after, kinds: $kinds) {
    edges { cursor node { id kind createdAt device ip sessionId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }
}
"""

USER = "query ($id: ID!) { user(id: $id) { __typename id username imageFile createdAt } }"
POST = "query Post($id: ID!) { post(id: $id) { id title content author { username } } }"

POSTS = """
query Posts($first: Int, $after: String, $author: ID) {
  posts(first: $first, after: $after, author: $author) {
    edges { cursor node { id title } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""

CREATE_POST = """
mutation Create($input: PostInput!) {
  createPost(input: $input) { id title content createdAt updatedAt author { id username } }
}
"""

UPDATE_POST = """
mutation Update($id: ID!, $input: PostInput!) {
  updatePost(id: $id, input: $input) { id title content createdAt updatedAt }
}
"""

DELETE_POST = "mutation Delete($id: ID!) { deletePost(id: $id) }"

PASS_SECOND_FACTOR = """
mutation Pass($ticket: String!, $code: String!) {
  passSecondFactor(ticket: $ticket, code: $code) { accessToken refreshToken user { id } }
}
"""
START_TOTP = "mutation { startTotp { secret uri qrCode } }"
CONFIRM_TOTP = "mutation ($code: String!) { confirmTotp(code: $code) }"
REMOVE_TOTP = "mutation { removeTotp { factors { totp recoveryCodesLeft } } }"
REPLACE_RECOVERY_CODES = "mutation { replaceRecoveryCodes }"
FACTORS = "{ me { factors { totp recoveryCodesLeft } } }"
REAUTHENTICATE = """
mutation Reauthenticate($input: ReauthenticateInput!) {
  reauthenticate(input: $input) { accessToken refreshToken user { id } }
}
"""
SET_PASSWORD = """
mutation ($new: String!) { setPassword(newPassword: $new) { accessToken refreshToken user { id } } }
"""

FINISH_SIGN_IN = """
mutation Finish($code: String!, $verifier: String!, $username: String) {
  finishSignIn(code: $code, codeVerifier: $verifier, username: $username) {
    accessToken refreshToken user { id username email emailVerified hasPassword }
  }
}
"""
START_LINKING = """
mutation ($provider: String!, $redirectTo: String!, $challenge: String!) {
  startLinking(provider: $provider, redirectTo: $redirectTo, codeChallenge: $challenge)
}
"""
FINISH_LINKING = """
mutation ($code: String!, $verifier: String!) {
  finishLinking(code: $code, codeVerifier: $verifier) { id provider email }
}
"""
UNLINK = "mutation ($id: ID!) { unlink(id: $id) }"
IDENTITIES = "{ me { identities { id provider email createdAt lastUsedAt } } }"
PROVIDERS = "{ providers { name label } }"

INVITE = "mutation Invite($email: String!) { invite(email: $email) { expiresAt } }"
REVOKE_INVITATION = "mutation Revoke($email: String!) { revokeInvitation(email: $email) }"
REGISTER_INVITED = """
mutation Register($username: String!, $email: String!, $password: String!, $invitation: String) {
  register(
    input: { username: $username, email: $email, password: $password }
    invitation: $invitation
  ) {
    accessToken
    refreshToken
    user { id username email emailVerified }
  }
}
"""
