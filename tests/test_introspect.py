"""POST /introspect (RFC 7662)."""

import base64
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from domain.roles import Role
from domain.services import Services
from settings import Settings
from tests.admins import grant, impersonation, register_admin
from tests.conftest import settings_for
from tests.operations import LOGOUT
from tests.sessions import log_in, refresh, sessions
from tests.users import IN_A_YEAR, GraphQL, RegisteredUser

SECRET = "a credential for tests: of & and % and + there are some in it"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(
        database_url,
        introspection_client_id="the shop",
        introspection_client_secret=SECRET,
        public_url="https://accounts.example.com",
    )


def basic(id: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{id}:{secret}'.encode()).decode()}"


UNENCODED = basic("the shop", SECRET)
ENCODED_SECRET = "a+credential+for+tests%3A+of+%26+and+%25+and+%2B+there+are+some+in+it"
THE_SHOP = basic("the+shop", ENCODED_SECRET)
THE_SHOP_ELSEWHERE = basic("another+shop", ENCODED_SECRET)


async def introspect(
    client: httpx.AsyncClient, token: str, authorization: str = THE_SHOP
) -> httpx.Response:
    return await client.post(
        "/introspect",
        data={"token": token},
        headers=[(b"Authorization", authorization.encode("latin-1"))],
    )


async def test_an_active_access_token(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    response = await introspect(client, ada.token)
    [session] = await sessions(graphql, ada)

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    # The token was issued with the proof.
    assert body.pop("auth_time") in (body["iat"], body["iat"] - 1)
    assert body.pop("exp") - body.pop("iat") == 1800
    assert body.pop("jti")
    assert body == {
        "active": True,
        "acr": "urn:gatehouse:acr:1fa",
        "amr": ["pwd"],
        "sub": ada.id,
        "username": "Ada",
        "token_type": "bearer",
        "iss": "https://accounts.example.com",
        "aud": "gatehouse",
        "sid": session["id"],
    }


async def test_an_active_refresh_token_is_no_bearer(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    body = (await introspect(client, ada.refresh_token)).json()

    assert (body["active"], body["sub"], body["username"]) == (True, ada.id, "Ada")
    assert body["exp"] - body["iat"] == 14 * 24 * 60 * 60
    assert "token_type" not in body


async def test_the_roles_are_those_that_the_user_has_now(
    client: httpx.AsyncClient, services: Services, ada: RegisteredUser
) -> None:
    before = await introspect(client, ada.token)
    await grant(services, ada, Role.SUPPORT)
    after = await introspect(client, ada.token)

    assert "roles" not in before.json()
    assert after.json()["roles"] == ["SUPPORT"]


async def test_an_administrator_who_acts_in_place_of_the_user_is_named(
    client: httpx.AsyncClient, services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    adam = await register_admin(services, graphql, "Adam")
    token, _ = await impersonation(graphql, ada, by=adam)
    body = (await introspect(client, token)).json()

    assert (body["sub"], body["act"]) == (ada.id, {"sub": adam.id})
    assert "roles" not in body


async def test_a_credential_may_come_as_it_is(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    """curl and many libraries send it without URL encoding."""
    assert (await introspect(client, ada.token, UNENCODED)).json()["active"]


async def test_asking_spends_nothing(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await introspect(client, ada.refresh_token)
    successor = await refresh(graphql, ada.refresh_token)

    assert (await introspect(client, ada.refresh_token)).json() == {"active": False}
    assert (await introspect(client, successor)).json()["active"]


async def test_of_an_ended_session_no_token_is_active(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await graphql(LOGOUT, by=ada)

    for token in (ada.token, ada.refresh_token):
        assert (await introspect(client, token)).json() == {"active": False}


async def test_an_expired_token_is_not_active(
    client: httpx.AsyncClient, ada: RegisteredUser, services: Services
) -> None:
    caller = services.access_tokens.read(ada.token).caller
    expired = replace(services.access_tokens, lifetime=timedelta(seconds=-1)).issue(
        caller, not_after=IN_A_YEAR
    )

    assert (await introspect(client, expired.value)).json() == {"active": False}


@pytest.mark.parametrize("token", ["nonsense", "x" * 64, "a.b.c", "é"])
async def test_what_is_no_token_is_not_active(client: httpx.AsyncClient, token: str) -> None:
    assert (await introspect(client, token)).json() == {"active": False}


async def test_a_caller_with_a_token_of_their_own_may_ask(
    client: httpx.AsyncClient, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    response = await introspect(client, ada.token, f"Bearer {grace.token}")

    assert response.json()["sub"] == ada.id


async def test_a_caller_whose_session_has_ended_may_not(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    await graphql(LOGOUT, by=grace)
    response = await introspect(client, ada.token, f"Bearer {grace.token}")

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic nonsense",
        "Basic Og==",
        "Basic /w==",
        "Basic \xe9",
        basic("the+shop", "wrong"),
        THE_SHOP_ELSEWHERE,
        basic("the+shop", ""),
        "Digest x",
    ],
)
async def test_nobody_else_may(
    client: httpx.AsyncClient, ada: RegisteredUser, authorization: str
) -> None:
    response = await introspect(client, ada.token, authorization)

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert "Basic" in response.headers["WWW-Authenticate"]
    assert "Bearer" in response.headers["WWW-Authenticate"]


async def test_a_token_is_required(client: httpx.AsyncClient) -> None:
    response = await introspect(client, "")

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


async def test_the_answer_differs_for_each_session(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    answers = [await introspect(client, user.token) for user in (ada, phone)]

    assert answers[0].json()["sid"] != answers[1].json()["sid"]
