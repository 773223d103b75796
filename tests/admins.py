"""Users with a role in tests, and the documents that they send."""

import json
from uuid import UUID

from domain import admin
from domain.roles import OPERATOR, Role
from domain.services import Services
from tests.operations import IMPERSONATE
from tests.users import THIS_DEVICE, Answer, GraphQL, RegisteredUser, register_user

ACCOUNT = """
query ($id: ID!) { account(id: $id) {
  id username email emailVerified roles disabledAt disabledReason passwordResetRequired lastSeenAt
  factors { totp } identities { id }
  sessions { id method isCurrent impersonatedBy { id } }
  securityEvents { edges { node { kind detail actor { username } } } }
} }
"""
ACCOUNTS = """
query ($search: String, $role: Role, $disabled: Boolean, $first: Int, $after: String) {
  accounts(search: $search, role: $role, disabled: $disabled, first: $first, after: $after) {
    edges { node { username } } pageInfo { hasNextPage endCursor }
  }
}
"""

_REASON = 'reason: "a reason"'

#: The mutations of accounts, with arguments besides the id, and what they select.
ARGUMENTS = {
    "disableAccount": _REASON,
    "enableAccount": _REASON,
    "requirePasswordReset": _REASON,
    "removeSecondFactors": _REASON,
    "endSessionsOf": _REASON,
    "grantRole": f"role: SUPPORT, {_REASON}",
    "revokeRole": f"role: SUPPORT, {_REASON}",
    "impersonate": _REASON,
    "correctAccount": f'input: {{ username: "Corrected" }}, {_REASON}',
    "deleteAccount": _REASON,
    "exportAccount": _REASON,
}
_SCALARS = {"endSessionsOf", "deleteAccount", "exportAccount"}


async def grant(services: Services, user: RegisteredUser, role: Role = Role.ADMIN) -> None:
    """Grant a role as the operator does."""
    await admin.grant_role(services, THIS_DEVICE, OPERATOR, UUID(user.id), role, reason="a reason")


async def register_admin(
    services: Services, graphql: GraphQL, username: str, role: Role = Role.ADMIN
) -> RegisteredUser:
    """Return a new user with a role."""
    email = f"{username.lower()}@example.com"
    user = await register_user(graphql, username, email, "nanoseconds of wire")
    await grant(services, user, role)
    return user


async def act(
    graphql: GraphQL,
    mutation: str,
    on: RegisteredUser | str,
    *,
    by: RegisteredUser | str | None,
    arguments: str | None = None,
) -> Answer:
    """Send a mutation of an account with valid arguments, or with others."""
    id = on.id if isinstance(on, RegisteredUser) else on
    given = ARGUMENTS[mutation] if arguments is None else arguments
    selected = "" if mutation in _SCALARS else "{ __typename }"
    document = f"mutation {{ {mutation}(id: {json.dumps(id)}, {given}) {selected} }}"
    return await graphql(document, by=by)


async def impersonate(graphql: GraphQL, user: RegisteredUser, *, by: RegisteredUser) -> str:
    """Return the access token of a new session in place of a user."""
    return (await impersonation(graphql, user, by=by))[0]


async def impersonation(
    graphql: GraphQL, user: RegisteredUser, *, by: RegisteredUser
) -> tuple[str, str]:
    """Return the access token and the refresh token of a new session in place of a user."""
    answer = await graphql(IMPERSONATE, by=by, id=user.id)
    assert answer.errors == []
    token = answer.data["impersonate"]
    return token["accessToken"], token["refreshToken"]
