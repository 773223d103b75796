"""DATABASE_READ_URL: a standby is read for what may be behind by a moment, and nothing waits for
one that is away or behind."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from api.app import create_app
from api.telemetry.metrics import Metrics
from cli.check.findings import Finding, Level
from cli.check.replica import replica as check_replica
from db.replica import MAX_LAG
from tests import databases
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN, LOGOUT, ME, SECURITY_EVENTS
from tests.pgbouncer import PGBOUNCER_PROGRAM, running_pgbouncer
from tests.postgres_cluster import PROGRAMS, Cluster, running_cluster
from tests.posts import publish
from tests.servers import TIMEOUT_SECONDS, free_port
from tests.users import GraphQL, RegisteredUser, register_user

pytestmark = pytest.mark.skipif(not PROGRAMS, reason="needs initdb and pg_ctl")

POST = """
query ($id: ID!) {
  post(id: $id) { title }
  posts(first: 1) { edges { node { title content } } }
}
"""
USER = (
    "query ($id: ID!) { user(id: $id) { imageFile posts(first: 1) { edges { node { title } } } } }"
)
UPDATE_POST = """
mutation ($id: ID!, $input: PostInput!) { updatePost(id: $id, input: $input) { title } }
"""
DELETE_POST = "mutation ($id: ID!) { deletePost(id: $id) }"
UPDATE_ME = "mutation ($input: UpdateMeInput!) { updateMe(input: $input) { id } }"

LAG, FALLBACKS = "gatehouse_replica_lag_seconds", "gatehouse_replica_fallbacks_total"

READS = 10


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[Cluster]:
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """Yield a cluster whose standby has and shows everything."""
    databases.without_users(shared_cluster.primary.url)
    shared_cluster.wait_for_standby()
    yield shared_cluster
    shared_cluster.resume_standby()


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """Yield a cluster whose servers a test may stop."""
    with running_cluster() as cluster:
        yield cluster


@dataclass(frozen=True)
class Served:
    """An application with a replica, and a user with a post."""

    app: Any
    graphql: GraphQL
    user: RegisteredUser
    post_id: str

    async def title(self) -> str:
        answer = await self.graphql(POST, id=self.post_id)
        assert answer.errors == []
        title: str = answer.data["post"]["title"]
        return title

    @property
    def fallbacks(self) -> int:
        count: int = self.app.state.gatehouse.services.database.replica.fallbacks
        return count

    async def wait_until_replica_is_read(self) -> None:
        """Read until a read is not counted as one of the primary."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while True:
                before = self.fallbacks
                await self.title()
                if self.fallbacks == before:
                    return

    async def seconds_of_reads(self) -> float:
        start = time.monotonic()
        for _ in range(READS):
            assert await self.title() == "Notes"
        return time.monotonic() - start


@asynccontextmanager
async def served(cluster: Cluster, read_url: str = "") -> AsyncIterator[Served]:
    settings = settings_for(cluster.primary.url, database_read_url=read_url or cluster.standby.url)
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        user = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        post = await publish(graphql, user)
        found = Served(app, graphql, user, post["id"])
        await found.wait_until_replica_is_read()
        yield found


def write_behind_its_back(cluster: Cluster) -> None:
    """Change the post and the user on the primary, which the standby does not show."""
    cluster.pause_standby()
    databases.execute(
        cluster.primary.url,
        "UPDATE posts SET title = 'New', content = 'New'",
        "UPDATE users SET image_file = 'new.png'",
    )


def titles(data: Any) -> set[str]:
    return {data["post"]["title"], data["posts"]["edges"][0]["node"]["title"]}


async def test_posts_and_public_users_are_read_there(cluster: Cluster) -> None:
    async with served(cluster) as one:
        await asyncio.to_thread(write_behind_its_back, cluster)
        posts, user, me = await asyncio.gather(
            one.graphql(POST, id=one.post_id),
            one.graphql(USER, id=one.user.id),
            one.graphql(ME, by=one.user),
        )

    assert titles(posts.data) == {"Notes"}
    assert posts.data["posts"]["edges"][0]["node"]["content"] == "On the analytical engine"
    assert user.data["user"]["imageFile"] is None
    assert user.data["user"]["posts"]["edges"][0]["node"]["title"] == "Notes"
    assert me.data["me"]["imageFile"] == "new.png"


async def test_a_replica_that_is_behind_is_not_read_until_it_has_caught_up(
    cluster: Cluster,
) -> None:
    async with served(cluster) as one:
        await asyncio.to_thread(write_behind_its_back, cluster)
        start = time.monotonic()
        while await one.title() == "Notes":
            pass
        behind = time.monotonic() - start
        fallbacks = one.fallbacks
        await asyncio.to_thread(cluster.resume_standby)
        await one.wait_until_replica_is_read()
        title = await one.title()

    # Three seconds, and some for a busy machine.
    assert behind < 6
    assert fallbacks > 0
    assert title == "New"


async def test_users_see_their_own_writes_by_every_process(cluster: Cluster) -> None:
    async with served(cluster) as one:
        settings = settings_for(cluster.primary.url, database_read_url=cluster.standby.url)
        app = create_app(settings)
        async with app.router.lifespan_context(app), client_of(app) as client:
            second = Served(app, GraphQL(client), one.user, one.post_id)
            await second.wait_until_replica_is_read()
            seen = []
            bob = await register_user(one.graphql, "Bob", "bob@example.com", "analytical engine")
            registered = await second.graphql(USER, id=bob.id)
            for number in range(READS):
                post = await publish(one.graphql, one.user, title=f"Post {number}")
                created = await second.graphql(POST, id=post["id"])
                edit = {"title": f"Edit {number}", "content": "of the content"}
                await one.graphql(UPDATE_POST, by=one.user, id=post["id"], input=edit)
                edited = await second.graphql(POST, id=post["id"])
                await one.graphql(DELETE_POST, by=one.user, id=post["id"])
                deleted = await second.graphql(POST, id=post["id"])
                picture = f"{number}.png"
                await one.graphql(UPDATE_ME, by=one.user, input={"imageFile": picture})
                user = await second.graphql(USER, id=one.user.id)
                seen.append(
                    (
                        titles(created.data) == {f"Post {number}"},
                        titles(edited.data) == {f"Edit {number}"},
                        deleted.data["post"],
                        user.data["user"]["imageFile"] == picture,
                    )
                )

    assert registered.data["user"] is not None
    assert seen == [(True, True, None, True)] * READS


async def test_a_write_does_not_wait_long_for_a_replica_that_is_behind(cluster: Cluster) -> None:
    async with served(cluster) as one:
        cluster.pause_standby()
        start = time.monotonic()
        post = await publish(one.graphql, one.user, title="Own")
        first = time.monotonic() - start
        found = await one.graphql(POST, id=post["id"])

    assert titles(found.data) == {"Own"}
    assert first < MAX_LAG.total_seconds() + 2


async def test_sessions_and_the_newest_events_are_read_on_the_primary(cluster: Cluster) -> None:
    async with served(cluster) as one:
        cluster.pause_standby()
        login = await one.graphql(LOGIN, username="Ada", password=one.user.password)
        by = login.data["login"]["accessToken"]
        me = await one.graphql(ME, by=by)
        newest = await one.graphql(SECURITY_EVENTS, by=by, first=1)
        cursor = newest.data["me"]["securityEvents"]["edges"][0]["cursor"]
        older = await one.graphql(SECURITY_EVENTS, by=by, first=1, after=cursor)
        await one.graphql(LOGOUT, by=by)
        ended = await one.graphql(ME, by=by)

    assert me.errors == []
    assert newest.data["me"]["securityEvents"]["edges"][0]["node"]["kind"] == "LOGGED_IN"
    assert older.data["me"]["securityEvents"]["edges"][0]["node"]["kind"] == "REGISTERED"
    assert ended.code == "UNAUTHENTICATED"


async def test_no_request_fails_or_waits_when_the_replica_stops(own_cluster: Cluster) -> None:
    async with served(own_cluster) as one:
        await asyncio.to_thread(own_cluster.standby.stop)
        stopped = await one.seconds_of_reads()
        post = await publish(one.graphql, one.user)
        await asyncio.to_thread(own_cluster.standby.start)
        await one.wait_until_replica_is_read()
        found = await one.graphql(POST, id=post["id"])

    assert stopped < 2
    assert found.data["post"] is not None


async def test_one_read_alone_waits_for_a_frozen_replica(own_cluster: Cluster) -> None:
    async with served(own_cluster) as one:
        own_cluster.standby.freeze()
        try:
            frozen = await one.seconds_of_reads()
        finally:
            own_cluster.standby.thaw()
        await one.wait_until_replica_is_read()

    # Each would take 0.75 s.
    assert frozen < 4


async def test_a_promoted_standby_is_not_read(own_cluster: Cluster) -> None:
    async with served(own_cluster) as one:
        await asyncio.to_thread(own_cluster.standby.promote)
        databases.execute(own_cluster.primary.url, "UPDATE posts SET title = 'New'")
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while await one.title() == "Notes":
                pass
        before = one.fallbacks
        again = [await one.title() for _ in range(READS)]

    assert set(again) == {"New"}
    # The post, the page and the content.
    assert one.fallbacks == before + 3 * READS


async def test_metrics_have_the_lag_and_the_reads_of_the_primary(own_cluster: Cluster) -> None:
    metrics = Metrics()
    async with served(own_cluster) as one:
        state = one.app.state.gatehouse
        async with metrics.sampling(state.services, state.subscriptions):
            await asyncio.to_thread(own_cluster.standby.stop)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while (metrics.registry.get_sample_value(LAG) or 0) <= MAX_LAG.total_seconds():
                    await one.title()
            counted = metrics.registry.get_sample_value(FALLBACKS)

    assert counted
    assert counted <= one.fallbacks


async def test_the_first_host_that_is_a_standby_is_read(cluster: Cluster) -> None:
    primary, standby = cluster.primary.port, cluster.standby.port
    hosts = f"127.0.0.1:{free_port()},127.0.0.1:{primary},127.0.0.1:{standby}"
    async with served(cluster, f"postgresql://postgres@{hosts}/postgres") as one:
        await asyncio.to_thread(write_behind_its_back, cluster)
        title = await one.title()

    assert title == "Notes"


@pytest.mark.skipif(not PGBOUNCER_PROGRAM, reason="needs pgbouncer")
async def test_a_replica_behind_pgbouncer_is_read(cluster: Cluster) -> None:
    with running_pgbouncer(cluster.standby.url, "transaction") as url:
        async with served(cluster, url) as one:
            await asyncio.to_thread(write_behind_its_back, cluster)
            title = await one.title()

    assert title == "Notes"


def findings(cluster: Cluster, read_url: str) -> list[Finding]:
    settings = settings_for(cluster.primary.url, database_read_url=read_url)
    return list(check_replica(settings))


def test_check_finds_a_standby(cluster: Cluster) -> None:
    [finding] = findings(cluster, cluster.standby.url)

    assert finding.level is Level.OK
    assert finding.message.startswith("is a standby of the primary, ")


def test_check_finds_what_is_not_read(cluster: Cluster) -> None:
    primary, standby = cluster.primary.url, cluster.standby.url
    other = standby.removesuffix("postgres") + "template1"
    ports = f"{free_port()},{cluster.standby.port}"
    cluster.pause_standby()
    databases.execute(primary, "CREATE TABLE written ()", "DROP TABLE written")
    found = [
        *findings(cluster, primary),
        *findings(cluster, other),
        *findings(cluster, standby),
        *findings(
            cluster, f"postgresql://postgres@/postgres?host=127.0.0.1,127.0.0.1&port={ports}"
        ),
    ]

    assert {finding.level for finding in found} == {Level.PROBLEM}
    messages = [finding.message for finding in found]
    assert messages[:3] == [
        "is not read: it is not a standby",
        "is not read: it is of another database than the primary",
        "is not read: it is 1 s behind",
    ]
    assert messages[3].startswith("host 1 cannot be used: ")
    assert messages[4] == "host 2 is not read: it is 1 s behind"
