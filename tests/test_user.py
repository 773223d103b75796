import pytest

from tests.operations import USER
from tests.users import UNKNOWN_ID, GraphQL, RegisteredUser


async def test_anyone_may_look_at_anyone(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(USER, id=ada.id)

    user = answer.data["user"]
    assert (user["__typename"], user["id"], user["username"]) == ("PublicUser", ada.id, "Ada")


@pytest.mark.parametrize("id", ["", "5", "\ud800", "\0", "x" * 100_000, UNKNOWN_ID])
async def test_an_id_of_nobody_is_null(graphql: GraphQL, id: str) -> None:
    answer = await graphql(USER, id=id)

    assert answer.data == {"user": None}
    assert answer.errors == []


async def test_an_email_is_out_of_reach_even_of_its_owner(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(
        "query ($id: ID!) { user(id: $id) { ... on User { ... on PrivateUser { email } } } }",
        by=ada,
        id=ada.id,
    )

    assert answer.data == {"user": {}}
