"""Sixty clients on two machines with two workers each, with and without PgBouncer.

What PostgreSQL has open is counted while users read `me` and sign in, with production's Argon2
parameters. The machines, PgBouncer, PostgreSQL and the clients share this one, so the rates compare
the ways to connect and say nothing of a machine of its own.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from soak.audited_clients import (
    OK,
    AuditedClient,
    Outcomes,
    audited_clients,
    log_in,
    register_all,
)
from soak.figures import Figures
from soak.login_storm import PRODUCTION
from soak.postgres import Postgres
from soak.server_settings import SECRET_KEY, SLOWEST_RESPONSE_SECONDS
from tests.operations import ME
from tests.pgbouncer import running_pgbouncer
from tests.servers import running_server

MACHINES = 2
WORKERS = 2

# On each machine.
READERS = 20
SIGNING_IN = 10

SECONDS = 15

# Connections of PgBouncer to PostgreSQL. None is without PgBouncer.
POOLS = (None, 20, 4)

CONNECTIONS_PER_WORKER = 20


@dataclass
class Load:
    """The outcomes of one kind of request, and the seconds of those that succeeded."""

    outcomes: Outcomes = field(default_factory=Outcomes)
    seconds: list[float] = field(default_factory=list)

    async def repeat(
        self, send: Callable[[AuditedClient], Awaitable[str]], client: AuditedClient, until: float
    ) -> None:
        while (began := time.monotonic()) < until:
            if await self.outcomes.record(send(client)) == OK:
                self.seconds.append(time.monotonic() - began)

    @property
    def times(self) -> str:
        cuts = quantiles(self.seconds, n=100) if len(self.seconds) > 1 else [0.0] * 99
        return f"p50 {cuts[49] * 1000:.0f}, p99 {cuts[98] * 1000:.0f} ms"


async def pooled_connections(postgres: Postgres, url: str, folder: Path, *, port: int) -> Figures:
    figures = Figures()
    with figures.on_this_machine():
        for size in POOLS:
            with _pooled(url, size) as address:
                await _measure(figures, postgres, url, address, size, folder, port=port)
    return figures


@contextmanager
def _pooled(url: str, size: int | None) -> Iterator[str]:
    if size is None:
        yield url
        return
    with running_pgbouncer(url, "transaction", size) as address:
        yield address


async def _measure(
    figures: Figures,
    postgres: Postgres,
    url: str,
    address: str,
    size: int | None,
    folder: Path,
    *,
    port: int,
) -> None:
    way = "direct" if size is None else f"PgBouncer with {size} connections"
    me, logins = Load(), Load()
    with ExitStack() as stack:
        machines = [
            stack.enter_context(
                audited_clients(
                    stack.enter_context(
                        running_server(
                            address,
                            SECRET_KEY,
                            folder,
                            PORT=str(port + number),
                            WORKERS=str(WORKERS),
                            **PRODUCTION,
                        )
                    ).url,
                    READERS + SIGNING_IN,
                )
            )
            for number in range(MACHINES)
        ]
        for clients in machines:
            await register_all(clients)
        until = time.monotonic() + SECONDS
        async with _counting(postgres, url) as counted:
            await asyncio.gather(
                *(
                    me.repeat(_read_me, client, until)
                    if number < READERS
                    else logins.repeat(_log_in, client, until)
                    for clients in machines
                    for number, client in enumerate(clients)
                )
            )
    allowed = size or MACHINES * WORKERS * CONNECTIONS_PER_WORKER
    figures.at_most(f"{way}: connections to PostgreSQL", max(counted), allowed)
    for name, load in (("me", me), ("login", logins)):
        figures.record(f"{way}: {name} a second", len(load.seconds) / SECONDS)
        figures.record(f"{way}: {name}", load.times)
        figures.record(f"{way}: {name}, OVERLOADED", load.outcomes.counts["OVERLOADED"])
        figures.none(f"{way}: {name}, other errors", load.outcomes.other_than(OK, "OVERLOADED"))
        figures.at_most(
            f"{way}: {name}, slowest response (s)",
            load.outcomes.slowest_seconds,
            SLOWEST_RESPONSE_SECONDS,
        )


@asynccontextmanager
async def _counting(postgres: Postgres, url: str) -> AsyncIterator[list[int]]:
    """Count the connections to the database every half second while the block runs."""
    counted: list[int] = []

    async def count() -> None:
        while True:
            counted.append(await asyncio.to_thread(postgres.connections, url))
            await asyncio.sleep(0.5)

    task = asyncio.create_task(count())
    try:
        yield counted
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _read_me(client: AuditedClient) -> str:
    answer = await client.raw.execute(ME, by=client.access_token)
    return answer.code if answer.errors else OK


async def _log_in(client: AuditedClient) -> str:
    return await log_in(client.raw, client.username)
