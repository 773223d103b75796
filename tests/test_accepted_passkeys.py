"""What a browser is told of the passkeys that an account accepts."""

import asyncio
from typing import Any

import pytest

from settings import Settings
from tests.authenticator import decode
from tests.conftest import settings_for
from tests.operations import REMOVE_PASSKEY
from tests.passkeys import PASSKEY_SETTINGS, add, start
from tests.users import GraphQL, RegisteredUser

ACCEPTED = "{ me { factors { acceptedPasskeys } } }"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, **PASSKEY_SETTINGS)


async def accepted(graphql: GraphQL, user: RegisteredUser) -> Any:
    answer = await graphql(ACCEPTED, by=user)
    assert answer.errors == []
    return answer.data["me"]["factors"]["acceptedPasskeys"]


async def test_it_names_the_domain_the_user_and_their_passkeys(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    first, _ = await add(graphql, ada)
    second, _ = await add(graphql, ada)
    await add(graphql, grace)
    found = await accepted(graphql, ada)

    assert found["rpId"] == "example.com"
    assert decode(found["userId"]) == first.handle
    ids = [decode(id) for id in found["allAcceptedCredentialIds"]]
    assert ids == [first.credential_id, second.credential_id]


async def test_a_removed_passkey_is_not_accepted(graphql: GraphQL, ada: RegisteredUser) -> None:
    kept, _ = await add(graphql, ada)
    _, removed = await add(graphql, ada)
    await graphql(REMOVE_PASSKEY, by=ada, id=removed["id"])
    found = await accepted(graphql, ada)

    assert [decode(id) for id in found["allAcceptedCredentialIds"]] == [kept.credential_id]


async def test_without_any_left_the_browser_can_forget_them_all(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    _, removed = await add(graphql, ada)
    await graphql(REMOVE_PASSKEY, by=ada, id=removed["id"])

    assert (await accepted(graphql, ada))["allAcceptedCredentialIds"] == []


async def test_who_never_had_one_has_nothing_to_tell(graphql: GraphQL, ada: RegisteredUser) -> None:
    before = await accepted(graphql, ada)
    await start(graphql, ada)

    assert before is None
    assert (await accepted(graphql, ada))["allAcceptedCredentialIds"] == []


async def test_two_users_at_one_time_each_get_their_own(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    of_ada, _ = await add(graphql, ada)
    of_grace, _ = await add(graphql, grace)
    both = await asyncio.gather(accepted(graphql, ada), accepted(graphql, grace))

    assert [decode(found["userId"]) for found in both] == [of_ada.handle, of_grace.handle]
