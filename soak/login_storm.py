"""Two hundred concurrent logins, with production's Argon2 parameters, beside other requests.

The server must answer `me` in the meantime, reject the logins that its queue cannot take with
OVERLOADED, and stay within MEMORY_MIB.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from settings import Settings
from soak.audited_clients import OK, audited_clients, log_in, register_all
from soak.figures import Figures
from soak.raw_client import p99, raw_clients, response_times
from soak.resource_usage import peak_memory_mib, resource_usage
from soak.server_settings import SECRET_KEY
from tests.operations import ME
from tests.servers import running_server

LOGINS = 200
STORMS = 5
READERS = 8
READS_PER_SECOND = 100
IDLE_SECONDS = 10
STORM_SECONDS = 3
MAX_P99_RATIO = 10.0

# The whole process: each thread needs 19 MiB for a hash, and a queued login almost nothing.
MEMORY_MIB = 200.0

PRODUCTION = {
    name.upper(): str(Settings.model_fields[name].default)
    for name in ("argon2_memory_kib", "argon2_time_cost", "argon2_parallelism")
}


async def login_storm(url: str, folder: Path, *, port: int) -> Figures:
    figures, loop = Figures(), asyncio.get_running_loop()
    with (
        running_server(url, SECRET_KEY, folder, PORT=str(port), **PRODUCTION) as server,
        audited_clients(server.url, LOGINS) as users,
        raw_clients(server.url, READERS) as readers,
        # The logins run in their own process, so that they cannot delay the measurement.
        ProcessPoolExecutor(1, get_context("spawn")) as login_process,
    ):
        await register_all(users)
        before = resource_usage(server.process.pid)

        async def read_me(seconds: float) -> list[float]:
            token = users[0].access_token
            return await response_times(
                readers, ME, by=token, rate=READS_PER_SECOND, seconds=seconds
            )

        await read_me(1)  # warm up
        idle = p99(await read_me(IDLE_SECONDS))
        storm_times: list[float] = []
        logins: Counter[str] = Counter()
        slowest = 0.0
        names = [user.username for user in users]
        for _ in range(STORMS):
            storm = loop.run_in_executor(login_process, _log_in_all, server.url, names)
            storm_times += await read_me(STORM_SECONDS)
            outcomes, seconds = await storm
            logins += outcomes
            slowest = max(slowest, seconds)
        figures.record("concurrent logins", f"{LOGINS}, {STORMS} times")
        figures.record("time to the last login response (s)", slowest)
        figures.at_least("successful logins", logins[OK], STORMS)
        figures.at_least("logins rejected with OVERLOADED", logins["OVERLOADED"], STORMS)
        others = {outcome: n for outcome, n in logins.items() if outcome not in (OK, "OVERLOADED")}
        figures.none("unexpected responses", others)
        figures.record("p99 of `me` without logins (ms)", idle * 1000)
        figures.record("p99 of `me` during the logins (ms)", p99(storm_times) * 1000)
        figures.at_most("ratio of the two p99", p99(storm_times) / idle, MAX_P99_RATIO)
        figures.record("memory before (MiB)", before.memory_mib)
        figures.at_most("peak memory (MiB)", peak_memory_mib(server.process.pid), MEMORY_MIB)
        figures.none("tracebacks in the log", server.logged().count("Traceback"))
    return figures


def _log_in_all(url: str, names: Sequence[str]) -> tuple[Counter[str], float]:
    """Log in all users at once. Return the outcomes and the seconds until the last response."""
    return asyncio.run(_log_in_concurrently(url, names))


async def _log_in_concurrently(url: str, names: Sequence[str]) -> tuple[Counter[str], float]:
    with raw_clients(url, len(names)) as clients:
        await asyncio.gather(*(client.connect() for client in clients))
        began = time.monotonic()
        outcomes = await asyncio.gather(*map(log_in, clients, names))
        return Counter(outcomes), time.monotonic() - began
