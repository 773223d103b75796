"""GET /.well-known/oauth-authorization-server (RFC 8414): it lists exactly what works."""

import httpx
import pytest

from settings import Settings
from tests.conftest import client_of, settings_for, unprepared_app
from tests.users import RegisteredUser


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, public_url="http://gatehouse.test")


async def test_every_endpoint_that_is_listed_is_there(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/.well-known/oauth-authorization-server")).json()

    assert metadata["issuer"] == "http://gatehouse.test"
    assert metadata["response_types_supported"] == []
    endpoints = [value for name, value in metadata.items() if name.endswith("_endpoint")]
    assert len(endpoints) == 4
    for endpoint in endpoints:
        assert (await client.request("OPTIONS", endpoint)).status_code == 405


async def test_every_grant_type_that_is_listed_is_known_and_no_other(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    metadata = (await client.get("/.well-known/oauth-authorization-server")).json()
    everything = {
        "username": "Ada",
        "password": ada.password,
        "refresh_token": ada.refresh_token,
        "mfa_token": "made up",
        "otp": "123456",
    }
    second_factor = "urn:gatehouse:grant:second-factor"
    grants = (
        "password",
        "refresh_token",
        second_factor,
        "authorization_code",
        "client_credentials",
    )
    answers = {
        grant: (await client.post("/token", data={"grant_type": grant, **everything})).json()
        for grant in grants
    }

    known = [
        grant
        for grant, answer in answers.items()
        if answer.get("error") != "unsupported_grant_type"
    ]
    assert known == metadata["grant_types_supported"]
    assert answers[second_factor]["error"] == "invalid_grant"


async def test_a_client_credential_is_listed_when_there_is_one(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    without = (await client.get("/.well-known/oauth-authorization-server")).json()
    credential = {"introspection_client_id": "shop", "introspection_client_secret": "x" * 32}
    with_one = settings_for(settings.database_url.get_secret_value(), **credential)
    async with unprepared_app(with_one) as app, client_of(app) as other:
        listed = (await other.get("/.well-known/oauth-authorization-server")).json()

    methods = "introspection_endpoint_auth_methods_supported"
    assert without[methods] == ["Bearer"]
    assert listed[methods] == ["Bearer", "client_secret_basic"]
