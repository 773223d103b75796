"""REQUIRE_SECOND_FACTOR=all: an account without a second factor can only set one up."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from settings import Settings
from tests.authenticator import Authenticator
from tests.authenticator_apps import Clock, set_up, signed_in_with
from tests.conftest import settings_for
from tests.operations import (
    CREATE_POST,
    DELETE_ME,
    LOGOUT,
    ME,
    REAUTHENTICATE,
    REFRESH,
    REMOVE_PASSKEY,
    REMOVE_TOTP,
    START_PASSKEY,
    START_TOTP,
    UPDATE_ME,
)
from tests.passkeys import add, signed_in
from tests.posts import NOTES
from tests.sessions import log_in
from tests.users import GraphQL, RegisteredUser

NEEDED = "{ me { needsSecondFactor } }"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(
        database_url,
        data_key="a data key for tests and for nothing else but tests",
        environment="production",
        require_second_factor="all",
    )


async def test_an_account_without_one_reads_itself_and_signs_out(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    assert (await graphql(ME, by=ada)).data["me"]["id"] == ada.id
    assert (await graphql(LOGOUT, by=await log_in(graphql, ada))).errors == []


@pytest.mark.parametrize(
    ("operation", "variables"),
    [
        (CREATE_POST, {"input": {"title": "Notes", "content": "On the engine."}}),
        (UPDATE_ME, {"input": {"username": "Byron"}}),
        (DELETE_ME, {}),
    ],
    ids=["post", "profile", "deletion"],
)
async def test_it_can_do_nothing_else(
    graphql: GraphQL, ada: RegisteredUser, operation: str, variables: dict[str, object]
) -> None:
    answer = await graphql(operation, by=ada, **variables)

    assert answer.code == "SECOND_FACTOR_SETUP_REQUIRED"


async def test_with_a_passkey_it_signs_in_again(graphql: GraphQL, ada: RegisteredUser) -> None:
    authenticator = Authenticator(rp_id="localhost", origin="http://localhost:8000")
    await add(graphql, ada, authenticator)
    before = await graphql(CREATE_POST, by=ada, input=NOTES)
    after = await graphql(CREATE_POST, by=await signed_in(graphql, ada, authenticator), input=NOTES)

    assert before.code == "SECOND_FACTOR_SETUP_REQUIRED"
    assert after.errors == []


async def test_with_an_app_it_goes_on_after_a_refresh(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    await set_up(graphql, ada, clock)
    before = await graphql(UPDATE_ME, by=ada, input={"username": "Byron"})
    token = (await graphql(REFRESH, token=ada.refresh_token)).data["refresh"]["accessToken"]
    after = await graphql(UPDATE_ME, by=replace(ada, token=token), input={"username": "Byron"})

    assert before.code == "SECOND_FACTOR_SETUP_REQUIRED"
    assert after.errors == []


async def test_the_user_says_whether_one_is_missing(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    async def is_missing(by: RegisteredUser) -> bool:
        found: bool = (await graphql(NEEDED, by=by)).data["me"]["needsSecondFactor"]
        return found

    before = await is_missing(ada)
    app = await set_up(graphql, ada, clock)
    signed_in = await signed_in_with(graphql, ada, app.code())

    assert (before, await is_missing(ada), await is_missing(signed_in)) == (True, False, False)


async def test_it_is_missing_for_one_session_and_not_for_another(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, clock: Clock
) -> None:
    await set_up(graphql, grace, clock)
    both = await asyncio.gather(graphql(NEEDED, by=ada), graphql(NEEDED, by=grace))

    assert [answer.data["me"]["needsSecondFactor"] for answer in both] == [True, False]


async def test_a_sign_in_with_both_factors_is_enough(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app = await set_up(graphql, ada, clock)
    signed_in = await signed_in_with(graphql, ada, app.code())

    assert (await graphql(UPDATE_ME, by=signed_in, input={"username": "Byron"})).errors == []


async def test_other_services_see_the_difference_in_the_token(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app = await set_up(graphql, ada, clock)
    signed_in = await signed_in_with(graphql, ada, app.code())

    async def acr(token: str) -> str:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await client.post("/introspect", data={"token": token}, headers=headers)
        found: str = answer.json()["acr"]
        return found

    assert await acr(ada.token) == "urn:gatehouse:acr:1fa"
    assert await acr(signed_in.token) == "urn:gatehouse:acr:2fa"


@pytest.mark.parametrize("operation", [START_PASSKEY, START_TOTP])
async def test_who_knows_the_password_alone_cannot_add_a_factor_to_that_of_the_owner(
    graphql: GraphQL, ada: RegisteredUser, operation: str
) -> None:
    await add(graphql, ada, Authenticator(rp_id="localhost", origin="http://localhost:8000"))
    thief = await log_in(graphql, ada)
    started = await graphql(operation, by=thief)
    proved = await graphql(REAUTHENTICATE, by=thief, input={"password": ada.password})

    for answer in (started, proved):
        assert answer.code == "REAUTHENTICATION_REQUIRED"
        assert answer.error["extensions"]["methods"] == ["PASSKEY"]


async def test_the_only_app_stays(graphql: GraphQL, ada: RegisteredUser, clock: Clock) -> None:
    """Its session would go on as one of two factors."""
    app = await set_up(graphql, ada, clock)
    signed_in = await signed_in_with(graphql, ada, app.code())
    refused = await graphql(REMOVE_TOTP, by=signed_in)
    await add(graphql, signed_in, Authenticator(rp_id="localhost", origin="http://localhost:8000"))

    assert refused.code == "INVALID_INPUT"
    assert (await graphql(REMOVE_TOTP, by=signed_in)).errors == []


async def test_the_only_passkey_stays(graphql: GraphQL, ada: RegisteredUser, clock: Clock) -> None:
    authenticator = Authenticator(rp_id="localhost", origin="http://localhost:8000")
    _, passkey = await add(graphql, ada, authenticator)
    by_passkey = await signed_in(graphql, ada, authenticator)
    refused = await graphql(REMOVE_PASSKEY, by=by_passkey, id=passkey["id"])
    await set_up(graphql, by_passkey, clock)

    assert refused.code == "INVALID_INPUT"
    assert (await graphql(REMOVE_PASSKEY, by=by_passkey, id=passkey["id"])).errors == []
