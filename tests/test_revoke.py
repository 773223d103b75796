"""POST /revoke (RFC 7009)."""

import httpx
import pytest

from tests.operations import ME, REFRESH
from tests.sessions import is_signed_in, log_in, refresh
from tests.users import GraphQL, RegisteredUser

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def revoke(client: httpx.AsyncClient, **parameters: str) -> httpx.Response:
    return await client.post("/revoke", data=parameters)


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "nonsense", ""])
async def test_a_refresh_token_ends_its_session(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, hint: str
) -> None:
    phone = await log_in(graphql, ada)
    response = await revoke(client, token=phone.refresh_token, token_type_hint=hint)

    assert response.status_code == 200
    assert response.content == b""
    assert response.headers["Cache-Control"] == "no-store"
    assert not await is_signed_in(graphql, phone)
    assert await is_signed_in(graphql, ada)


async def test_an_access_token_does_too(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await revoke(client, token=ada.token)

    assert not await is_signed_in(graphql, ada)


async def test_so_does_a_spent_refresh_token(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    successor = await refresh(graphql, ada.refresh_token)
    await revoke(client, token=ada.refresh_token)

    assert (await graphql(REFRESH, token=successor)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"


@pytest.mark.parametrize("token", ["nonsense", "x" * 64, "a.b.c", "é", "x" * 10_000])
async def test_a_token_that_is_none_is_no_error(client: httpx.AsyncClient, token: str) -> None:
    response = await revoke(client, token=token)

    assert response.status_code == 200


async def test_revoking_twice_is_no_error(client: httpx.AsyncClient, ada: RegisteredUser) -> None:
    first = await revoke(client, token=ada.token)
    second = await revoke(client, token=ada.token)

    assert first.status_code == second.status_code == 200


async def test_a_form_that_is_too_long_is_not_read(client: httpx.AsyncClient) -> None:
    response = await client.post("/revoke", content="&" * 20_000, headers=FORM)

    assert response.status_code == 413


@pytest.mark.parametrize("body", ["", "token=", "token=a&token=b", "token_type_hint=access_token"])
async def test_one_token_is_required(client: httpx.AsyncClient, body: str) -> None:
    response = await client.post("/revoke", content=body, headers=FORM)

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
