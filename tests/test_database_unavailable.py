"""Requests while PostgreSQL is not available. These tests need no PostgreSQL."""

import asyncio
import gc
import logging
import socket
import time
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from psycopg import OperationalError

from api.app import create_app
from db.engine import TIMEOUT
from db.postgres import connect
from domain.access_tokens.tokens import AccessTokens, Caller
from domain.ids import new_id
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN, ME, REGISTER
from tests.servers import TIMEOUT_SECONDS
from tests.users import IN_A_YEAR, GraphQL

# Port 1 is always closed. The password must not appear anywhere.
UNAVAILABLE_URL = "postgresql://gatehouse:hunter2hunter2@127.0.0.1:1/gatehouse"


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(UNAVAILABLE_URL))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def token(app: FastAPI) -> str:
    tokens: AccessTokens = app.state.gatehouse.services.access_tokens
    return tokens.issue(Caller(new_id(), new_id()), not_after=IN_A_YEAR).value


async def test_graphql_says_unavailable_and_siblings_survive(graphql: GraphQL, token: str) -> None:
    me = await graphql("{ me { id } __typename }", by=token)
    login = await graphql(LOGIN, username="Ada", password="analytical engine")
    register = await graphql(
        REGISTER, username="Ada", email="ada@example.com", password="analytical engine"
    )

    assert me.data == {"me": None, "__typename": "Query"}
    assert me.code == login.code == register.code == "UNAVAILABLE"


async def test_rest_says_503_and_when_to_come_back(client: httpx.AsyncClient, token: str) -> None:
    form = {"grant_type": "password", "username": "Ada", "password": "analytical engine"}
    answers = [
        await client.get("/health/ready"),
        await client.get("/userinfo", headers={"Authorization": f"Bearer {token}"}),
        await client.post("/token", data=form),
    ]

    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all(answer.headers["Retry-After"] for answer in answers)
    assert all(answer.json()["error"] == "temporarily_unavailable" for answer in answers)
    assert (await client.get("/health/live")).status_code == 200


async def test_the_log_has_the_reason_and_not_the_password(
    graphql: GraphQL, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await graphql(ME, by=token)

    assert "hunter2" not in str(answer) + caplog.text
    assert "Connection refused" in caplog.text


async def test_a_server_that_never_answers_is_not_waited_for(token: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://gatehouse@127.0.0.1:{silent.getsockname()[1]}/gatehouse"
        app = create_app(settings_for(url, request_deadline_seconds=300))
        async with app.router.lifespan_context(app), client_of(app) as client:
            start = time.monotonic()
            answer = await GraphQL(client)(ME, by=token)

    assert answer.code == "UNAVAILABLE"
    assert time.monotonic() - start < TIMEOUT.total_seconds() + TIMEOUT_SECONDS


async def test_a_server_that_never_answers_is_left() -> None:
    """Connections are closed at once: before the garbage collector runs, hundreds could be open."""
    left = asyncio.Event()

    async def wait_for_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()
        writer.close()

    silent = await asyncio.start_server(wait_for_the_end, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    gc.disable()
    try:
        with pytest.raises(OperationalError):
            await connect(host="127.0.0.1", port=port, user="gatehouse", connect_timeout=2)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await left.wait()
    finally:
        gc.enable()
        silent.close()
