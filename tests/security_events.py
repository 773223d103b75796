"""Reading the security events of a registered user."""

from typing import Any

from tests.operations import SECURITY_EVENTS
from tests.users import GraphQL, RegisteredUser


async def events(
    graphql: GraphQL, user: RegisteredUser | str, **arguments: Any
) -> list[dict[str, Any]]:
    """Return the latest events, the newest first."""
    answer = await graphql(SECURITY_EVENTS, by=user, **{"first": 100, **arguments})
    assert answer.errors == []
    return [edge["node"] for edge in answer.data["me"]["securityEvents"]["edges"]]


async def event_kinds(graphql: GraphQL, user: RegisteredUser | str) -> list[str]:
    """Return the kinds of the latest events, the oldest first."""
    return [event["kind"] for event in reversed(await events(graphql, user))]
