"""Publishing posts, and reading their titles from a page."""

from typing import Any

from tests.operations import CREATE_POST
from tests.users import GraphQL, RegisteredUser

NOTES = {"title": "Notes", "content": "On the analytical engine"}


async def publish(graphql: GraphQL, by: RegisteredUser, **input: str) -> dict[str, Any]:
    """Create a post, ``NOTES`` unless told otherwise, and return it."""
    answer = await graphql(CREATE_POST, by=by, input={**NOTES, **input})
    post: dict[str, Any] = answer.data["createPost"]
    return post


def titles(connection: dict[str, Any]) -> list[str]:
    return [edge["node"]["title"] for edge in connection["edges"]]
