"""A PostgreSQL that stops responding, and then responds again. SQLite is a file and cannot."""

import asyncio
import time
from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from api.app import create_app
from db.engine import CONNECTIONS, TIMEOUT
from tests import databases
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN, ME, REGISTER
from tests.postgres_proxy import PostgresProxy
from tests.servers import TIMEOUT_SECONDS
from tests.users import GraphQL, RegisteredUser

pytestmark = pytest.mark.skipif(not databases.POSTGRES_URL, reason="needs TEST_POSTGRES_URL")

# In seconds. Long enough for a healthy request on a busy machine.
DEADLINE = 3
POSTS_WITH_AUTHORS = "{ posts { edges { node { id author { id } } } } }"
WRITE = 'mutation { updateMe(input: { imageFile: "ada.png" }) { imageFile } }'


@pytest.fixture
def postgres(migrated_postgres: str) -> str:
    return databases.without_users(migrated_postgres)


@pytest.fixture
def proxy(postgres: str) -> PostgresProxy:
    return PostgresProxy(postgres)


@pytest.fixture
async def app(proxy: PostgresProxy) -> AsyncIterator[FastAPI]:
    async with proxy.url() as url:
        app = create_app(settings_for(url, request_deadline_seconds=DEADLINE))
        async with app.router.lifespan_context(app):
            yield app


def connections_to(postgres: str) -> int:
    """Return the number of connections from other processes."""
    with psycopg.connect(postgres) as connection:
        [count] = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone() or [0]
    return int(count)


async def codes_of_all(graphql: GraphQL, user: RegisteredUser, times: int) -> list[str]:
    """Send each document several times at once, and return the code of each answer, or OK."""
    answers = await asyncio.gather(
        *(
            graphql(document, by=user)
            for document in (ME, POSTS_WITH_AUTHORS, WRITE)
            for _ in range(times)
        )
    )
    return [answer.code if answer.errors else "OK" for answer in answers]


async def test_nobody_waits_beyond_the_deadline_and_all_is_well_afterwards(
    graphql: GraphQL, ada: RegisteredUser, proxy: PostgresProxy, postgres: str
) -> None:
    assert set(await codes_of_all(graphql, ada, CONNECTIONS)) == {"OK"}
    proxy.freeze()
    start = time.monotonic()
    frozen = [await codes_of_all(graphql, ada, 2 * CONNECTIONS) for _ in range(2)]
    took = time.monotonic() - start
    proxy.thaw()
    thawed = await codes_of_all(graphql, ada, CONNECTIONS)

    assert {code for codes in frozen for code in codes} == {"UNAVAILABLE"}
    assert took < 2 * DEADLINE + TIMEOUT_SECONDS
    assert set(thawed) == {"OK"}
    # The server notices the end of a closed connection a moment later.
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while connections_to(postgres) > 2 * CONNECTIONS:  # noqa: ASYNC110  (it sends no event)
            await asyncio.sleep(0)


async def test_rest_returns_503(
    client: httpx.AsyncClient, ada: RegisteredUser, proxy: PostgresProxy
) -> None:
    form = {"grant_type": "password", "username": "Ada", "password": ada.password}
    proxy.freeze()
    answers = await asyncio.gather(
        client.get("/health/ready"),
        client.get("/userinfo", headers={"Authorization": f"Bearer {ada.token}"}),
        client.post("/token", data=form),
        client.post(
            "/graphql",
            json={"query": ME},
            headers={
                "Authorization": f"Bearer {ada.token}",
                "Accept": "application/graphql-response+json",
            },
        ),
    )

    assert [answer.status_code for answer in answers] == [503] * 4
    assert answers[2].json()["error"] == "temporarily_unavailable"
    assert answers[3].json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"


async def test_a_database_that_was_frozen_from_the_start_is_found_when_it_moves(
    proxy: PostgresProxy, postgres: str
) -> None:
    proxy.freeze()
    async with proxy.url() as url:
        settings = settings_for(url, request_deadline_seconds=DEADLINE)
        app = create_app(settings)
        async with client_of(app) as client:
            graphql = GraphQL(client)
            frozen = await asyncio.gather(
                *(graphql(POSTS_WITH_AUTHORS) for _ in range(3 * CONNECTIONS))
            )
            proxy.thaw()
            thawed = await asyncio.gather(
                *(graphql(POSTS_WITH_AUTHORS) for _ in range(CONNECTIONS))
            )
            left = connections_to(postgres)
            await app.state.gatehouse.services.close()

    assert {answer.code for answer in frozen} == {"UNAVAILABLE"}
    assert all(answer.errors == [] for answer in thawed)
    # One more has prepared the database.
    assert left <= CONNECTIONS + 1


async def test_a_server_that_closes_new_connections_is_not_available(
    graphql: GraphQL, proxy: PostgresProxy
) -> None:
    await graphql(POSTS_WITH_AUTHORS)
    proxy.end_all()
    answers = [await graphql(POSTS_WITH_AUTHORS) for _ in range(20)]

    assert {answer.code for answer in answers} == {"UNAVAILABLE"}


async def test_what_outlives_its_own_limit_needs_no_deadline(postgres: str) -> None:
    proxy = PostgresProxy(postgres)
    async with proxy.url() as url:
        app = create_app(settings_for(url, request_deadline_seconds=300))
        async with client_of(app) as client:
            graphql = GraphQL(client)
            await graphql(POSTS_WITH_AUTHORS)
            proxy.freeze()
            start = time.monotonic()
            answer = await graphql(POSTS_WITH_AUTHORS)
            took = time.monotonic() - start
            await app.state.gatehouse.services.close()

    assert answer.code == "UNAVAILABLE"
    assert took < TIMEOUT.total_seconds() + TIMEOUT_SECONDS


async def test_a_write_that_was_given_up_leaves_no_partial_write(
    graphql: GraphQL, ada: RegisteredUser, proxy: PostgresProxy, postgres: str
) -> None:
    proxy.freeze()
    register = await graphql(
        REGISTER, username="Grace", email="grace@example.com", password="nanoseconds of wire"
    )
    proxy.thaw()
    login = await graphql(LOGIN, username="Grace", password="nanoseconds of wire")

    assert register.code == "UNAVAILABLE"
    assert login.code == "INVALID_CREDENTIALS"
