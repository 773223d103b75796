"""A failover by promotion under load: the primary is stopped or frozen, and its standby promoted.

Two workers know both servers, for writes and as replicas. Users read `me` and posts, and sign in.
Afterwards the former primary comes back as a standby of the new one.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from soak.audited_clients import OK, AuditedClient, Outcomes, audited_clients, log_in, register_all
from soak.figures import Figures
from soak.postgres import Postgres
from soak.raw_client import RawClient
from soak.server_settings import SECRET_KEY, SLOWEST_RESPONSE_SECONDS
from tests.operations import ME
from tests.postgres_cluster import Cluster, running_standby
from tests.servers import running_server

WORKERS = 2

# The clients of each kind of request.
CLIENTS = 6

# How long the load runs before, and after the promotion.
SECONDS = 5

# A manager such as Patroni takes some seconds to promote the standby. That time is none of ours.
SECONDS_TO_PROMOTION = 2

# Meanwhile. Logins that wait for the database fill the queue of the next ones.
EXPECTED = ("UNAVAILABLE", "OVERLOADED")

# From the end of the promotion to the last error.
BACK_SECONDS = 3.0

# From the return of the former primary until it is read.
REPLICA_SECONDS = 30.0

POSTS = "{ posts(first: 5) { edges { node { title author { username } } } } }"

# By the names of their connections, PostgreSQL tells the pools apart.
TO_PRIMARY, TO_REPLICA = "to_primary", "to_replica"


@dataclass
class Kind:
    """One kind of request, its outcomes, and when requests succeeded."""

    name: str
    send: Callable[[AuditedClient], Awaitable[str]]
    outcomes: Outcomes = field(default_factory=Outcomes)
    successes: list[float] = field(default_factory=list)

    async def repeat(self, client: AuditedClient, until: asyncio.Event) -> None:
        while not until.is_set():
            if await self.outcomes.record(self.send(client)) == OK:
                self.successes.append(time.monotonic())

    def first_success_after(self, moment: float) -> float:
        return min((at for at in self.successes if at > moment), default=1e9)

    def count(self, since: float, until: float) -> int:
        return sum(since < at <= until for at in self.successes)


async def failover(cluster: Cluster, folder: Path, *, port: int, freeze: bool) -> Figures:
    """Stop the primary without a clean shutdown, or ``freeze`` it, and promote its standby."""
    figures = Figures()
    hosts = [f"127.0.0.1:{server.port}" for server in (cluster.primary, cluster.standby)]
    settings = {
        "DATABASE_READ_URL": _url([hosts[1], hosts[0]], TO_REPLICA),
        "WORKERS": str(WORKERS),
        "PORT": str(port),
    }
    with (
        figures.on_this_machine(),
        running_server(_url(hosts, TO_PRIMARY), SECRET_KEY, folder, **settings) as server,
        audited_clients(server.url, 3 * CLIENTS) as clients,
    ):
        await register_all(clients)
        await asyncio.gather(*(client.publish() for client in clients))
        await asyncio.to_thread(cluster.wait_for_standby)
        await _fail_over(figures, cluster, clients, freeze=freeze)
        figures.none("tracebacks in the log", server.logged().count("Traceback"))
    return figures


def _url(hosts: list[str], name: str) -> str:
    return f"postgresql://postgres@{','.join(hosts)}/postgres?application_name={name}"


async def _fail_over(
    figures: Figures, cluster: Cluster, clients: list[AuditedClient], *, freeze: bool
) -> None:
    kinds = [Kind("me", _read_me), Kind("login", _log_in), Kind("posts", _read_posts)]
    async with _load(kinds, clients), AsyncExitStack() as stack:
        began = time.monotonic()
        await asyncio.sleep(SECONDS)
        stopped = time.monotonic()
        await asyncio.to_thread(cluster.primary.freeze if freeze else cluster.primary.stop)
        await asyncio.sleep(SECONDS_TO_PROMOTION)
        await asyncio.to_thread(cluster.standby.promote)
        promoted = time.monotonic()
        await asyncio.sleep(2 * SECONDS)
        if freeze:
            await asyncio.to_thread(cluster.primary.thaw)
            await asyncio.to_thread(cluster.primary.stop)
        returning = running_standby(cluster.standby, cluster.primary.port)
        standby = await asyncio.to_thread(returning.__enter__)
        stack.callback(returning.__exit__, None, None, None)
        returned = time.monotonic()
        await _until_read(standby)
        read = time.monotonic()
        await asyncio.sleep(SECONDS)
        ended = time.monotonic()
        figures.none("connections for writes to the standby", _count(standby, TO_PRIMARY))
        figures.none("replica connections to the primary", _count(cluster.standby, TO_REPLICA))
    figures.record("from the stop to the end of the promotion (s)", promoted - stopped)
    for kind in kinds:
        figures.at_most(
            f"{kind.name}: from the promotion to the first success (s)",
            kind.first_success_after(promoted) - promoted,
            BACK_SECONDS,
        )
        figures.at_most(
            f"{kind.name}: from the promotion to the last error (s)",
            max(kind.outcomes.last_error - promoted, 0.0),
            BACK_SECONDS,
        )
        figures.at_most(
            f"{kind.name}: slowest response (s)",
            kind.outcomes.slowest_seconds,
            SLOWEST_RESPONSE_SECONDS,
        )
        figures.none(f"{kind.name}: unexpected responses", kind.outcomes.other_than(OK, *EXPECTED))
        figures.record(
            f"{kind.name}: {' and '.join(EXPECTED)}",
            ", ".join(str(kind.outcomes.counts[outcome]) for outcome in EXPECTED),
        )
        figures.record(
            f"{kind.name}: successes a second before, without a standby, with one again",
            f"{kind.count(began, stopped) / (stopped - began):.0f},"
            f" {kind.count(promoted, returned) / (returned - promoted):.0f},"
            f" {kind.count(read, ended) / (ended - read):.0f}",
        )
    figures.at_most(
        "from the return of the former primary until it is read (s)",
        read - returned,
        REPLICA_SECONDS,
    )


@asynccontextmanager
async def _load(kinds: list[Kind], clients: list[AuditedClient]) -> AsyncIterator[None]:
    """Send requests of each kind, by clients of its own, while the block runs."""
    until = asyncio.Event()
    running = [
        asyncio.create_task(kinds[number % len(kinds)].repeat(client, until))
        for number, client in enumerate(clients)
    ]
    try:
        yield
    finally:
        until.set()
        await asyncio.gather(*running)


async def _read_me(client: AuditedClient) -> str:
    return await _read(client.raw, ME, by=client.access_token)


async def _read_posts(client: AuditedClient) -> str:
    return await _read(client.raw, POSTS)


async def _log_in(client: AuditedClient) -> str:
    return await log_in(client.raw, client.username)


async def _read(client: RawClient, document: str, by: str | None = None) -> str:
    answer = await client.execute(document, by=by)
    return answer.code if answer.errors else OK


async def _until_read(standby: Postgres) -> None:
    """Wait until workers have connections to a standby for their reads of the replica."""
    async with asyncio.timeout(2 * REPLICA_SECONDS):
        # Other processes connect.
        while await asyncio.to_thread(_count, standby, TO_REPLICA) < WORKERS:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _count(server: Postgres, name: str) -> int:
    """Return the number of connections with a name."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        counted = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", (name,)
        ).fetchone()
    assert counted is not None
    return int(counted[0])
