"""Several hosts in DATABASE_URL: the first one that is a primary serves, and none is waited for."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from api.app import create_app
from db.engine import create_engine
from db.failover import connect_to_one, each_host
from tests import databases
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN, ME, UPDATE_ME
from tests.postgres_cluster import PROGRAMS, Cluster, running_cluster
from tests.servers import TIMEOUT_SECONDS
from tests.users import GraphQL, register_user

# Three seconds on a quiet machine. Without care it takes eleven, and twenty to write.
SOON = 7


@pytest.fixture
def silent() -> Iterator[int]:
    """Yield the port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.mark.parametrize(
    ("parameters", "hosts"),
    [
        ({"host": "one"}, [{"host": "one"}]),
        (
            {"host": "one,two", "port": "1,2", "user": "u"},
            [
                {"host": "one", "port": "1", "user": "u", "target_session_attrs": "primary"},
                {"host": "two", "port": "2", "user": "u", "target_session_attrs": "primary"},
            ],
        ),
        (
            {"hostaddr": "::1,::2", "port": ",", "target_session_attrs": "read-write"},
            [
                {"hostaddr": "::1", "port": "", "target_session_attrs": "read-write"},
                {"hostaddr": "::2", "port": "", "target_session_attrs": "read-write"},
            ],
        ),
        (
            {"host": "one,two", "target_session_attrs": "prefer-standby"},
            [{"host": "one,two", "target_session_attrs": "prefer-standby"}],
        ),
    ],
)
def test_each_host_has_its_own_parameters(
    parameters: dict[str, str], hosts: list[dict[str, str]]
) -> None:
    assert each_host(parameters) == hosts


async def test_a_slower_connection_is_closed() -> None:
    answers, closed = asyncio.Event(), asyncio.Queue[str]()

    async def connect(host: dict[str, str]) -> str:
        if host["host"] == "slow":
            await answers.wait()
        return host["host"]

    hosts = [{"host": "slow"}, {"host": "fast"}]
    opened = await connect_to_one(connect, hosts, closed.put_nowait)
    answers.set()

    assert (opened, await closed.get()) == ("fast", "slow")


async def test_a_host_that_is_promoted_while_another_is_frozen_is_connected_to() -> None:
    attempts: list[str] = []

    async def connect(host: dict[str, str]) -> str:
        attempts.append(host["host"])
        if host["host"] == "frozen":
            await asyncio.Event().wait()
        if len(attempts) < 4:
            raise OSError("the server is a standby")
        return host["host"]

    hosts = [{"host": "frozen"}, {"host": "promoted"}]
    opened = await connect_to_one(connect, hosts, list, head_start=timedelta(milliseconds=1))

    assert (opened, attempts) == ("promoted", ["frozen", *["promoted"] * 3])


@pytest.mark.skipif(not databases.POSTGRES_URL, reason="needs PostgreSQL")
async def test_a_host_that_never_answers_is_passed_over(
    migrated_postgres: str, silent: int
) -> None:
    server = httpx.URL(migrated_postgres)
    hosts = f"127.0.0.1:{silent},{server.host}:{server.port}"
    engine = create_engine(migrated_postgres.replace(f"{server.host}:{server.port}", hosts))
    start = time.monotonic()
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
    await engine.dispose()

    assert time.monotonic() - start < 3


async def test_without_any_host_the_error_is_that_of_the_last(silent: int) -> None:
    engine = create_engine(f"postgresql://u@127.0.0.1:1,127.0.0.1:{silent}/db?connect_timeout=2")

    with pytest.raises(OperationalError, match="timeout expired"):
        async with engine.connect():
            pass


@asynccontextmanager
async def signed_in(url: str) -> AsyncIterator[tuple[httpx.AsyncClient, GraphQL]]:
    app = create_app(settings_for(url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client, GraphQL(client)


@pytest.mark.skipif(not PROGRAMS, reason="needs initdb and pg_ctl")
async def test_a_frozen_primary_is_left_when_a_standby_is_promoted(cluster: Cluster) -> None:
    hosts = f"127.0.0.1:{cluster.primary.port},127.0.0.1:{cluster.standby.port}"
    async with signed_in(f"postgresql://postgres@{hosts}/postgres") as (client, graphql):
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        await asyncio.to_thread(cluster.wait_for_standby)
        cluster.primary.freeze()
        await asyncio.to_thread(cluster.standby.promote)
        start = time.monotonic()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while (await client.get("/health/ready")).status_code != httpx.codes.OK:
                pass
            while (await graphql(UPDATE_ME, by=ada, input={"imageFile": "a.png"})).errors:
                pass
        duration = time.monotonic() - start
        me = await graphql(ME, by=ada)
        login = await graphql(LOGIN, username="Ada", password=ada.password)

    assert duration < SOON
    assert (me.errors, login.errors) == ([], [])
