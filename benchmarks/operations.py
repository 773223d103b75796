"""What is asked, as the bodies of requests."""

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

BARE_LOGIN = """mutation ($username: String!, $password: String!) {
  login(username: $username, password: $password) { accessToken }
}"""

REGISTER = """mutation ($input: RegisterInput!) {
  register(input: $input) { accessToken user { id } }
}"""

# The name of its variable is what wrk.lua looks for.
REFRESH = (
    "mutation ($token: String!) { refresh(refreshToken: $token) { accessToken refreshToken } }"
)


def body(document: str, **variables: object) -> str:
    asked = {"query": document} | ({"variables": variables} if variables else {})
    return json.dumps(asked, separators=(",", ":"))
