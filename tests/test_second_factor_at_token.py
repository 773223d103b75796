"""POST /token for an account with a second factor."""

import httpx
import pytest

from settings import Settings
from tests.authenticator_apps import App, Clock, set_up
from tests.conftest import settings_for
from tests.operations import ME
from tests.users import GraphQL, RegisteredUser

GRANT = "urn:gatehouse:grant:second-factor"


@pytest.fixture
def settings(database_url: str) -> Settings:
    key = "a data key for tests and for nothing else but tests"
    return settings_for(database_url, data_key=key, environment="production")


@pytest.fixture
async def phone(graphql: GraphQL, ada: RegisteredUser, clock: Clock) -> App:
    """Return the authenticator app of Ada."""
    return await set_up(graphql, ada, clock)


async def password_grant(
    client: httpx.AsyncClient, user: RegisteredUser, **others: str
) -> httpx.Response:
    form = {"grant_type": "password", "username": user.username, "password": user.password}
    return await client.post("/token", data=form | others)


async def mfa_grant(client: httpx.AsyncClient, mfa_token: str, otp: str) -> httpx.Response:
    form = {"grant_type": GRANT, "mfa_token": mfa_token, "otp": otp}
    return await client.post("/token", data=form)


async def test_a_right_password_is_answered_with_a_token_for_the_second_step(
    client: httpx.AsyncClient, ada: RegisteredUser, phone: App
) -> None:
    response = await password_grant(client, ada)

    assert response.status_code == 400
    body = response.json()
    assert sorted(body) == ["error", "error_description", "mfa_token"]
    assert body["error"] == "mfa_required"


async def test_the_second_step_has_a_grant_of_its_own(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    mfa_token = (await password_grant(client, ada)).json()["mfa_token"]
    response = await mfa_grant(client, mfa_token, phone.code())

    assert response.status_code == 200
    assert sorted(response.json()) == ["access_token", "expires_in", "refresh_token", "token_type"]
    me = await graphql(ME, by=response.json()["access_token"])
    assert me.data["me"]["id"] == ada.id


async def test_the_password_grant_takes_the_code_at_once(
    client: httpx.AsyncClient, ada: RegisteredUser, phone: App
) -> None:
    assert (await password_grant(client, ada, otp=phone.code())).status_code == 200
    assert (await password_grant(client, ada, otp=phone.recovery_codes[0])).status_code == 200


async def test_a_wrong_code_is_an_invalid_grant(
    client: httpx.AsyncClient, ada: RegisteredUser, phone: App
) -> None:
    wrong = phone.code(steps=5)
    mfa_token = (await password_grant(client, ada)).json()["mfa_token"]
    responses = [
        await password_grant(client, ada, otp=wrong),
        await mfa_grant(client, mfa_token, wrong),
        await mfa_grant(client, "made up", phone.code()),
    ]

    for response in responses:
        assert response.status_code == 400
        assert response.json()["error"] == "invalid_grant"
        assert wrong not in response.text


async def test_a_wrong_password_is_not_told_of_the_factor(
    client: httpx.AsyncClient, ada: RegisteredUser, phone: App
) -> None:
    form = {"grant_type": "password", "username": "Ada", "password": "wrong engine"}
    response = await client.post("/token", data=form | {"otp": phone.code()})

    assert response.json()["error"] == "invalid_grant"
    assert "mfa_token" not in response.json()


async def test_a_code_of_an_account_without_a_factor_is_ignored(
    client: httpx.AsyncClient, grace: RegisteredUser
) -> None:
    assert (await password_grant(client, grace, otp="123456")).status_code == 200


@pytest.mark.parametrize("missing", ["mfa_token", "otp"])
async def test_the_grant_needs_both(client: httpx.AsyncClient, missing: str) -> None:
    form = {"grant_type": GRANT, "mfa_token": "A" * 64, "otp": "123456"}
    del form[missing]
    response = await client.post("/token", data=form)

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


async def test_the_metadata_name_the_grant(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/.well-known/oauth-authorization-server")).json()

    assert metadata["grant_types_supported"] == ["password", "refresh_token", GRANT]
