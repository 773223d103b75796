"""Outages of PostgreSQL while clients write: stopped and started, or frozen and thawed.

During an outage the server must return UNAVAILABLE within its deadline. Afterwards it must recover
within RECOVERY_SECONDS, without a restart and without a lost write or session.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from soak import invariants
from soak.audited_clients import (
    OK,
    UNAVAILABLE,
    AuditedClient,
    Outcomes,
    lost_sessions,
    running_clients,
)
from soak.figures import Figures
from soak.postgres import Postgres
from soak.raw_client import Disconnected, RawClient
from soak.server_settings import LONG_REFRESH_GRACE, SECRET_KEY, SLOWEST_RESPONSE_SECONDS
from tests.operations import ME
from tests.servers import running_server

MAX_CONNECTIONS = 20
RECOVERY_SECONDS = 5.0


async def stop_postgres(postgres: Postgres, url: str, folder: Path, port: int) -> Figures:
    """Stop PostgreSQL without a clean shutdown, and start it after five seconds."""
    return await _interrupt(postgres, url, folder, port, postgres.stop, postgres.start, seconds=5)


async def freeze_postgres(
    postgres: Postgres, url: str, folder: Path, port: int, *, seconds: float
) -> Figures:
    """Freeze PostgreSQL with SIGSTOP: connections stay open, and nothing responds."""
    return await _interrupt(
        postgres, url, folder, port, postgres.freeze, postgres.thaw, seconds=seconds
    )


async def _interrupt(
    postgres: Postgres,
    url: str,
    folder: Path,
    port: int,
    interrupt: Callable[[], None],
    restore: Callable[[], None],
    *,
    seconds: float,
) -> Figures:
    figures, outcomes = Figures(), Outcomes()
    with running_server(url, SECRET_KEY, folder, PORT=str(port), **LONG_REFRESH_GRACE) as server:
        async with running_clients(server.url, outcomes) as clients:
            await asyncio.sleep(3)
            await asyncio.to_thread(interrupt)
            await asyncio.sleep(seconds)
            errors = outcomes.total(*UNAVAILABLE)
            await asyncio.to_thread(restore)
            restored = time.monotonic()
            figures.at_most(
                "time to the first success after PostgreSQL returned (s)",
                await _time_to_success(server.url, clients[0]),
                RECOVERY_SECONDS,
            )
            await asyncio.sleep(2 * RECOVERY_SECONDS)
            last_error = max(outcomes.last_error - restored, 0.0)
        figures.at_most(
            "time to the last error after PostgreSQL returned (s)", last_error, RECOVERY_SECONDS
        )
        figures.record("successful requests", outcomes.counts[OK])
        figures.at_least("errors during the outage", errors, 1)
        figures.none("unexpected responses", outcomes.other_than(OK, *UNAVAILABLE))
        figures.at_most("slowest response (s)", outcomes.slowest_seconds, SLOWEST_RESPONSE_SECONDS)
        figures.at_most(
            "database connections afterwards", postgres.connections(url), MAX_CONNECTIONS
        )
        figures.none("reads of values never written", outcomes.unexpected_reads)
        figures.none("tracebacks in the log", server.logged().count("Traceback"))
        figures.none("lost sessions", await lost_sessions(clients))
    await invariants.check(url, clients, figures)
    return figures


async def _time_to_success(url: str, reader: AuditedClient) -> float:
    """Return the seconds until `me` succeeds.

    It starts a request every 0.1 s, each on its own connection: one that hangs must not hide
    another that succeeds.
    """
    began = time.monotonic()

    async def succeeds() -> bool:
        client = RawClient(url)
        try:
            return not (await client.execute(ME, by=reader.access_token)).errors
        except Disconnected:
            return False
        finally:
            client.abort()

    pending: set[asyncio.Task[bool]] = set()
    while time.monotonic() - began < 4 * RECOVERY_SECONDS:
        pending.add(asyncio.create_task(succeeds()))
        done, pending = await asyncio.wait(pending, timeout=0.1)
        if any(task.result() for task in done):
            break
    seconds = time.monotonic() - began
    await asyncio.gather(*pending)
    return seconds
