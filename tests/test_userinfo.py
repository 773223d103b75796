from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import delete

from db.models import User
from domain.services import Services
from tests.operations import UPDATE_ME
from tests.users import IN_A_YEAR, GraphQL, RegisteredUser


async def get_userinfo(client: httpx.AsyncClient, authorization: str) -> httpx.Response:
    return await client.get("/userinfo", headers={"Authorization": authorization})


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_caller_as_json(
    client: httpx.AsyncClient, ada: RegisteredUser, scheme: str
) -> None:
    response = await get_userinfo(client, f"{scheme} {ada.token}")

    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert body.pop("created_at")
    assert body == {
        "sub": ada.id,
        "preferred_username": "Ada",
        "email": "ada@example.com",
        "email_verified": False,
    }


async def test_a_picture_is_there_when_there_is_one(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await graphql(UPDATE_ME, by=ada, input={"imageFile": "ada.png"})
    response = await get_userinfo(client, f"Bearer {ada.token}")

    assert response.json()["picture"] == "ada.png"


async def test_without_a_token_the_challenge_names_no_error(client: httpx.AsyncClient) -> None:
    response = await client.get("/userinfo")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="gatehouse"'


@pytest.mark.parametrize("token", ["broken", "a.b.c", "é", "x" * 10_000])
async def test_an_unusable_token_is_invalid(client: httpx.AsyncClient, token: str) -> None:
    response = await client.get(
        "/userinfo", headers=[(b"Authorization", f"Bearer {token}".encode("latin-1"))]
    )

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert response.json()["error"] == "invalid_token"


async def test_an_expired_token_says_so(
    client: httpx.AsyncClient, ada: RegisteredUser, services: Services
) -> None:
    expired = replace(services.access_tokens, lifetime=timedelta(seconds=-1)).issue(
        services.access_tokens.read(ada.token).caller, not_after=IN_A_YEAR
    )
    response = await get_userinfo(client, f"Bearer {expired.value}")

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]
    assert "expired" in response.json()["error_description"]


async def test_the_token_of_a_deleted_user_is_invalid(
    client: httpx.AsyncClient, ada: RegisteredUser, services: Services
) -> None:
    async with services.database.writing() as session:
        await session.execute(delete(User))

    response = await get_userinfo(client, f"Bearer {ada.token}")

    assert response.status_code == 401
