"""Two hundred people log in at once, by passwords that cost what they cost in production, while others go on."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import quantiles

from settings import Settings
from soak.figures import Figures
from soak.kill import SECRET
from soak.process import peak_mib, taken
from soak.visitors import FINE, PASSWORD, Visitor, crowd
from soak.wire import Wire, times
from tests.operations import LOGIN, ME
from tests.servers import running_server

LOGGING_IN = 200
AT_A_TIME = 8
STORMS = 5
ASKING = 8
A_SECOND = 100
IDLE_SECONDS = 10
STORM_SECONDS = 3
TIMES_SLOWER = 10.0

# Of the whole process: a hash takes 19 MiB for each thread, and a caller who waits next to nothing.
MEMORY_MIB = 200.0

PRODUCTION = {
    name.upper(): str(Settings.model_fields[name].default)
    for name in ("argon2_memory_kib", "argon2_time_cost", "argon2_parallelism")
}


async def storm(url: str, folder: Path, *, port: int) -> Figures:
    figures, loop = Figures(), asyncio.get_running_loop()
    with (
        running_server(url, SECRET, folder, PORT=str(port), **PRODUCTION) as server,
        crowd(server.url, LOGGING_IN) as people,
        crowd(server.url, ASKING) as asking,
        # Whoever logs in must not delay those who measure.
        ProcessPoolExecutor(1, get_context("spawn")) as beside,
    ):
        await settle(people)
        before = taken(server.process.pid)

        async def ask(seconds: float) -> list[float]:
            return await times(
                [one.wire for one in asking],
                ME,
                by=people[0].access_token,
                rate=A_SECOND,
                seconds=seconds,
            )

        await ask(1)  # to warm up
        idle = p99(await ask(IDLE_SECONDS))
        stormy: list[float] = []
        logins: Counter[str] = Counter()
        lasted = 0.0
        names = [person.username for person in people]
        for _ in range(STORMS):
            storm = loop.run_in_executor(beside, _log_in_at_once, server.url, names)
            stormy += await ask(STORM_SECONDS)
            outcomes, seconds = await storm
            logins += outcomes
            lasted = max(lasted, seconds)
        figures.tell("logins at once, and how often", f"{LOGGING_IN}, {STORMS} times")
        figures.tell("s until the last of them was answered", lasted)
        figures.at_least("log in", logins[FINE], STORMS)
        figures.at_least("are told OVERLOADED", logins["OVERLOADED"], STORMS)
        others = {what: n for what, n in logins.items() if what not in (FINE, "OVERLOADED")}
        figures.none("other answers", others)
        figures.tell("ms, p99 of `me` with nothing else going on", idle * 1000)
        figures.tell("ms, p99 of `me` in the storm", p99(stormy) * 1000)
        figures.at_most("the one against the other", p99(stormy) / idle, TIMES_SLOWER)
        figures.tell("MiB before", before.memory_mib)
        figures.at_most("MiB at the peak", peak_mib(server.process.pid), MEMORY_MIB)
        figures.none("tracebacks", server.logged().count("Traceback"))
    return figures


async def settle(people: Sequence[Visitor]) -> None:
    """Give each an account, a few at a time: the queue for a hash has an end."""
    for first in range(0, len(people), AT_A_TIME):
        some = people[first : first + AT_A_TIME]
        assert {*await asyncio.gather(*(one.register() for one in some))} == {FINE}


async def log_in(wire: Wire, username: str) -> str:
    answer = await wire.ask(LOGIN, username=username, password=PASSWORD)
    return answer.code if answer.errors else FINE


def _log_in_at_once(url: str, names: Sequence[str]) -> tuple[Counter[str], float]:
    """What came of it, and in how many seconds."""
    return asyncio.run(_storm(url, names))


async def _storm(url: str, names: Sequence[str]) -> tuple[Counter[str], float]:
    with crowd(url, len(names)) as people:
        wires = [one.wire for one in people]
        await asyncio.gather(*(wire.streams() for wire in wires))
        began = time.monotonic()
        came = await asyncio.gather(*map(log_in, wires, names))
        return Counter(came), time.monotonic() - began


def p99(measured: list[float]) -> float:
    return quantiles(measured, n=100)[-1]
