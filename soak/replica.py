"""A replica beside its primary under load: what it costs the writes that wait for it, and whether
users see their own writes by every worker.

Both servers, Gatehouse and the clients share the machine, so the rates compare both ways and do not
show what a machine more would add.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx

from soak.audited_clients import OK, AuditedClient, Outcomes, audited_clients, register_all
from soak.figures import Figures
from soak.raw_client import raw_clients
from soak.server_settings import SECRET_KEY, SLOWEST_RESPONSE_SECONDS
from tests.postgres_cluster import Cluster
from tests.servers import free_port, running_server

WORKERS = 2
READERS = 12
WRITERS = 4
SECONDS = 10

# A write waits for a second at most. The measurement waits for a worker that is busy, too.
MAX_WRITE_SECONDS = 3.0

POSTS = "{ posts(first: 20) { edges { node { id title author { username } } } } }"
POST = "query ($id: ID!) { post(id: $id) { id } }"

_FALLBACKS = re.compile(r"^gatehouse_replica_fallbacks_total (\S+)$", re.MULTILINE)


@dataclass
class Load:
    """The outcomes and times of reads and writes, and posts that their authors did not see."""

    outcomes: Outcomes = field(default_factory=Outcomes)
    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    async def read(self, client: AuditedClient) -> str:
        began = time.monotonic()
        answer = await client.raw.execute(POSTS)
        self.reads.append(time.monotonic() - began)
        return answer.code if answer.errors else OK

    async def write(self, client: AuditedClient) -> str:
        """Publish a post, and look for it on a new connection, which either worker accepts."""
        before, began = set(client.posts), time.monotonic()
        outcome = await client.publish()
        self.writes.append(time.monotonic() - began)
        with raw_clients(client.raw.url, 1) as [other]:
            for id in client.posts - before:
                found = await other.execute(POST, id=str(id))
                if not found.data or found.data["post"] is None:
                    self.unseen.append(str(id))
        return outcome

    async def repeat(
        self, send: Callable[[AuditedClient], Awaitable[str]], client: AuditedClient, until: float
    ) -> None:
        while (began := time.monotonic()) < until:
            self.outcomes.count(await send(client), began)


async def read_replica(cluster: Cluster, folder: Path, *, port: int) -> Figures:
    figures = Figures()
    replica = {"DATABASE_READ_URL": cluster.standby.url}
    with figures.on_this_machine():
        for way, settings in (("with a replica", replica), ("without one", {})):
            await _measure(figures, way, cluster, folder, PORT=str(port), **settings)
    return figures


async def _measure(
    figures: Figures, way: str, cluster: Cluster, folder: Path, **settings: str
) -> None:
    load, metrics = Load(), str(free_port())
    settings |= {"WORKERS": str(WORKERS), "METRICS_PORT": metrics}
    with (
        running_server(cluster.primary.url, SECRET_KEY, folder, **settings) as server,
        audited_clients(server.url, READERS + WRITERS) as clients,
    ):
        await register_all(clients)
        # Until each worker has measured the replica.
        await asyncio.sleep(3)
        before = await asyncio.to_thread(_fallbacks, metrics)
        until = time.monotonic() + SECONDS
        await asyncio.gather(
            *(
                load.repeat(load.read if number < READERS else load.write, client, until)
                for number, client in enumerate(clients)
            )
        )
        await asyncio.sleep(2)
        fallbacks = await asyncio.to_thread(_fallbacks, metrics) - before
        log = server.logged()
    figures.none(f"{way}: posts that their authors did not see", load.unseen)
    figures.at_most(f"{way}: slowest createPost (s)", max(load.writes), MAX_WRITE_SECONDS)
    figures.record(f"{way}: createPost", _times(load.writes))
    figures.record(f"{way}: pages of posts", _times(load.reads))
    figures.record(f"{way}: createPost a second", len(load.writes) / SECONDS)
    figures.record(f"{way}: pages of posts a second", len(load.reads) / SECONDS)
    if "DATABASE_READ_URL" in settings:
        figures.record(f"{way}: reads of the primary in place of the replica", int(fallbacks))
        figures.record(f"{way}: times it was left", log.count("The replica is not read"))
    figures.none(f"{way}: errors", load.outcomes.other_than(OK))
    figures.at_most(
        f"{way}: slowest response (s)", load.outcomes.slowest_seconds, SLOWEST_RESPONSE_SECONDS
    )
    figures.none(f"{way}: tracebacks in the log", log.count("Traceback"))


def _times(seconds: list[float]) -> str:
    cuts = quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1000:.0f}, p99 {cuts[98] * 1000:.0f} ms"


def _fallbacks(port: str) -> float:
    found = _FALLBACKS.search(httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    return float(found[1]) if found else 0.0
