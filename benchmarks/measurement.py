"""One load on a running server: rate, response times, and how busy the processes were."""

import time
from collections.abc import Sequence

from benchmarks import wrk
from benchmarks.placements import LOAD_CORE
from benchmarks.postgres import postmaster
from benchmarks.processor_time import used_seconds
from benchmarks.servers import Server
from benchmarks.wrk import SECONDS, Request
from soak.postgres import Postgres

Figures = dict[str, float]


def measure(
    server: Server,
    postgres: Postgres | None,
    path: str,
    requests: Sequence[Request],
    *,
    expected: str,
    connections: int,
    seconds: int = SECONDS,
    cores: str = LOAD_CORE,
    chain: bool = False,
) -> Figures:
    """Return the requests a second (``rate``), ``p50`` and ``p99`` in milliseconds, the shares of a
    core that the ``server``, ``postgres`` and ``wrk`` used, and the bytes of ``log`` for each
    request.

    Waits first until the server has answered what it was sent before.
    """
    _wait_until_idle(server)

    def used() -> tuple[float, float, int]:
        by_postgres = used_seconds(postmaster(postgres)) if postgres else 0
        return server.used_seconds, by_postgres, server.logged_bytes

    began, before = time.monotonic(), used()
    load = wrk.load(
        path,
        requests,
        expected=expected,
        connections=connections,
        seconds=seconds,
        cores=cores,
        chain=chain,
    )
    elapsed = time.monotonic() - began
    by_server, by_postgres, logged = (
        after - start for after, start in zip(used(), before, strict=True)
    )
    return {
        "rate": load.rate,
        "p50": load.p50_ms,
        "p99": load.p99_ms,
        "server": by_server / elapsed,
        "postgres": by_postgres / elapsed,
        "wrk": load.busy,
        "log": logged / load.requests,
    }


def _wait_until_idle(server: Server) -> None:
    """Wait until the server uses almost no processor time, but not for long."""
    for _ in range(50):
        before = server.used_seconds
        time.sleep(0.1)
        if server.used_seconds - before < 0.02:
            return
