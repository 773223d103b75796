"""SIGKILL to the server, or to one of its workers, at random moments while clients write.

Each acknowledged write must be in the database afterwards, without partial writes, and each client
must still be signed in.
"""

import asyncio
import os
import random
import signal
from pathlib import Path

from soak import invariants
from soak.audited_clients import (
    CLIENTS,
    DISCONNECTED,
    OK,
    AuditedClient,
    Outcomes,
    lost_sessions,
    running_clients,
)
from soak.figures import Figures
from soak.resource_usage import descendants
from soak.server_settings import LONG_REFRESH_GRACE, SECRET_KEY, SLOWEST_RESPONSE_SECONDS
from tests.servers import Server, free_port, running_server, wait_until

WORKERS = 2


async def kill_server(url: str, folder: Path, *, rounds: int, port: int = 0) -> Figures:
    """Kill the server and start it again on the same database, round after round."""
    figures, outcomes = Figures(), Outcomes()
    settings = {"PORT": str(port or free_port()), **LONG_REFRESH_GRACE}
    clients: list[AuditedClient] = []
    lost: list[str] = []
    for _ in range(rounds):
        with running_server(url, SECRET_KEY, folder, **settings) as server:
            lost += await lost_sessions(clients[-CLIENTS:])
            async with running_clients(server.url, outcomes) as new_clients:
                clients += new_clients
                await asyncio.sleep(random.uniform(0.1, 1))
                server.process.kill()
            server.process.wait()
    with running_server(url, SECRET_KEY, folder, **settings) as server:
        lost += await lost_sessions(clients[-CLIENTS:])
        log = server.logged()
    figures.record("rounds", rounds)
    figures.record("successful requests", outcomes.counts[OK])
    figures.at_least("interrupted requests", outcomes.counts[DISCONNECTED], rounds)
    figures.none("unexpected responses", outcomes.other_than(OK, DISCONNECTED))
    figures.none("reads of values never written", outcomes.unexpected_reads)
    figures.none("lost sessions", lost)
    figures.none("tracebacks in the log", log.count("Traceback"))
    await invariants.check(url, clients, figures)
    return figures


async def kill_workers(url: str, folder: Path, *, rounds: int, port: int = 0) -> Figures:
    """Kill one of two workers, again and again, while the other serves."""
    figures, outcomes = Figures(), Outcomes()
    settings = {"PORT": str(port), "WORKERS": str(WORKERS), **LONG_REFRESH_GRACE}
    with running_server(url, SECRET_KEY, folder, **settings) as server:
        async with running_clients(server.url, outcomes) as clients:
            for started in range(WORKERS, WORKERS + rounds):
                await wait_for_workers(server, started)
                await asyncio.sleep(random.uniform(0.1, 1))
                os.kill(random.choice(descendants(server.process.pid)), signal.SIGKILL)
            await wait_for_workers(server, WORKERS + rounds)
        lost = await lost_sessions(clients)
        log = server.logged()
    figures.record("workers killed", rounds)
    figures.record("successful requests", outcomes.counts[OK])
    figures.record("interrupted requests", outcomes.counts[DISCONNECTED])
    figures.none("unexpected responses", outcomes.other_than(OK, DISCONNECTED))
    figures.at_most("slowest response (s)", outcomes.slowest_seconds, SLOWEST_RESPONSE_SECONDS)
    figures.none("reads of values never written", outcomes.unexpected_reads)
    figures.none("lost sessions", lost)
    figures.none("tracebacks in the log", log.count("Traceback"))
    await invariants.check(url, clients, figures)
    return figures


async def wait_for_workers(server: Server, started: int) -> None:
    """Wait until this many workers have started since the server did."""

    def have_started() -> bool:
        return server.logged().count("Application startup complete") >= started

    await asyncio.to_thread(wait_until, have_started)
