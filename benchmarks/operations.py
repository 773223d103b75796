"""The GraphQL operations that are measured, and the bodies of their requests."""

import json

ME = "{ me { id username email } }"

PAGE = """{
  posts(first: 20) {
    edges { cursor node { id title createdAt author { id username } } }
    pageInfo { hasNextPage endCursor }
  }
}"""

SECURITY_EVENTS = (
    "{ me { securityEvents(first: 20) { edges { node { kind createdAt device } } } } }"
)

LOGIN = """mutation ($username: String!, $password: String!) {
  login(username: $username, password: $password) { accessToken refreshToken expiresIn }
}"""

# The naive peer has no other field.
LOGIN_ACCESS_TOKEN = """mutation ($username: String!, $password: String!) {
  login(username: $username, password: $password) { accessToken }
}"""

REGISTER = """mutation ($input: RegisterInput!) {
  register(input: $input) { accessToken user { id } }
}"""

# wrk.lua replaces the variable `token` by its name.
REFRESH = (
    "mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }"
)

# Only Mercurius has it, in place of a login.
START_SESSION = "mutation { startSession { refreshToken } }"


def body(document: str, **variables: object) -> str:
    request = {"query": document} | ({"variables": variables} if variables else {})
    return json.dumps(request, separators=(",", ":"))
