"""A failover: for a while, the address leads to a standby, which is then promoted."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest

from api.app import create_app
from cli.check.database import database
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN, LOGOUT, ME, UPDATE_ME
from tests.pgbouncer import PGBOUNCER_PROGRAM, running_pgbouncer
from tests.postgres_cluster import PROGRAMS, Cluster, running_cluster
from tests.postgres_proxy import PostgresProxy
from tests.servers import TIMEOUT_SECONDS
from tests.users import GraphQL, RegisteredUser, register_user

pytestmark = [
    pytest.mark.skipif(not PROGRAMS, reason="needs initdb and pg_ctl"),
    pytest.mark.skipif(not PGBOUNCER_PROGRAM, reason="needs pgbouncer"),
]


@dataclass(frozen=True)
class Way:
    """An application, and a user who has signed in twice and out once."""

    client: httpx.AsyncClient
    user: RegisteredUser
    signed_out: str

    async def codes(self) -> list[str]:
        """Return the codes of five reads, five writes and a sign-in at once, or OK for each."""
        graphql = GraphQL(self.client)
        answers = await asyncio.gather(
            *(graphql(ME, by=self.user) for _ in range(5)),
            *(graphql(UPDATE_ME, by=self.user, input={"imageFile": "a.png"}) for _ in range(5)),
            graphql(LOGIN, username=self.user.username, password=self.user.password),
        )
        return [answer.code if answer.errors else "OK" for answer in answers]

    async def code_of_signed_out(self) -> str:
        return (await GraphQL(self.client)(ME, by=self.signed_out)).code

    async def ready(self) -> tuple[int, str]:
        response = await self.client.get("/health/ready")
        return response.status_code, response.json().get("error_description", "")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@asynccontextmanager
async def way_by(url: str, name: str, cluster: Cluster) -> AsyncIterator[Way]:
    """Yield an application on the URL. The standby does not hear that its user signs out."""
    app = create_app(settings_for(url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        user = await register_user(graphql, name, f"{name}@example.com", "analytical engine")
        login = await graphql(LOGIN, username=name, password=user.password)
        token = login.data["login"]["accessToken"]
        await asyncio.to_thread(cluster.wait_for_standby)
        cluster.pause_standby()
        assert (await graphql(LOGOUT, by=token)).errors == []
        yield Way(client, user, token)


def findings(url: str) -> list[str]:
    return [finding.message for finding in database(settings_for(url))]


async def test_a_standby_is_left_at_once_and_followed_when_it_is_promoted(cluster: Cluster) -> None:
    address = PostgresProxy(cluster.primary.url)
    hosts = f"host=127.0.0.1,127.0.0.1&port={cluster.standby.port},{cluster.primary.port}"
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(address.url())
        pooled = stack.enter_context(running_pgbouncer(url, "transaction"))
        ways = [
            await stack.enter_async_context(way_by(each, name, cluster))
            for each, name in [
                (url, "ada"),
                (pooled, "grace"),
                (f"postgresql://postgres@/postgres?{hosts}", "joan"),
            ]
        ]
        before = [await way.codes() for way in ways]
        # The third knows both servers by their own addresses.
        *followers, third = ways

        address.lead_to(cluster.standby.url)
        # PgBouncer keeps its clients. So the first write that reaches the standby finds out, and
        # not a new connection. (Those before it meet connections that PgBouncer has lost.)
        first = [await way.codes() for way in followers]
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while "OK" in [code for way in followers for code in await way.codes()]:
                pass
        standby = [await way.codes() for way in followers]
        signed_out = [await way.code_of_signed_out() for way in followers]
        ready = [await way.ready() for way in followers]
        checked = [await asyncio.to_thread(findings, each) for each in (url, pooled)]
        meanwhile = await third.codes()

        await asyncio.to_thread(cluster.primary.stop)
        await asyncio.to_thread(cluster.standby.promote)
        after = [await way.codes() for way in ways]
        still_signed_out = [await way.code_of_signed_out() for way in ways]
        ready_again = [await way.ready() for way in ways]

    assert {code for codes in [*before, meanwhile, *after] for code in codes} == {"OK"}
    assert {code for codes in first for code in codes[5:]} == {"UNAVAILABLE"}
    assert {code for codes in standby for code in codes} == {"UNAVAILABLE"}
    assert set(signed_out) == {"UNAVAILABLE"}
    assert ready == [(503, "The database is read-only.")] * 2
    assert checked == [["cannot be used: the server is a read-only standby"]] * 2
    assert set(still_signed_out) == {"UNAUTHENTICATED"}
    assert ready_again == [(200, "")] * 3
