"""Two hundred people log in at once, by passwords that cost what they cost in production, while others go on."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles

from settings import Settings
from soak.figures import Figures
from soak.kill import SECRET
from soak.process import peak_mib, taken
from soak.visitors import FINE, PASSWORD, Outcomes, Visitor, crowd, leave
from soak.wire import Wire, times
from tests.people import LOGIN, ME
from tests.servers import running_server

LOGGING_IN = 200
AT_A_TIME = 50
STORMS = 5
ASKING = 8
A_SECOND = 100
IDLE_SECONDS = 10
STORM_SECONDS = 2
TIMES_SLOWER = 10.0

# Of the whole process: a hash takes 19 MiB for each thread, and a caller who waits next to nothing.
MEMORY_MIB = 200.0

PRODUCTION = {
    name.upper(): str(Settings.model_fields[name].default)
    for name in ("argon2_memory_kib", "argon2_time_cost", "argon2_parallelism")
}


async def storm(url: str, folder: Path, *, port: int) -> Figures:
    figures = Figures()
    with running_server(url, SECRET, folder, PORT=str(port), **PRODUCTION) as server:
        people = await settle(server.url, LOGGING_IN)
        asking = [Wire(server.url) for _ in range(ASKING)]
        before = taken(server.process.pid)

        async def ask(seconds: float) -> list[float]:
            return await times(
                asking, ME, by=people[0].access_token, rate=A_SECOND, seconds=seconds
            )

        await ask(1)  # to warm up
        idle = p99(await ask(IDLE_SECONDS))
        stormy: list[float] = []
        logins: Counter[str] = Counter()
        lasted = 0.0
        for _ in range(STORMS):
            began = time.monotonic()
            storm = asyncio.gather(*(log_in(person) for person in people))
            stormy += await ask(STORM_SECONDS)
            logins.update(await storm)
            lasted = max(lasted, time.monotonic() - began)
        figures.tell("logins at once, and how often", f"{LOGGING_IN}, {STORMS} times")
        figures.tell("s until the last of them was answered", lasted)
        figures.at_least("log in", logins[FINE], STORMS)
        figures.at_least("are told OVERLOADED", logins["OVERLOADED"], STORMS)
        figures.none(
            "other answers",
            dict(logins - Counter({FINE: logins[FINE], "OVERLOADED": logins["OVERLOADED"]})),
        )
        figures.tell("ms, p99 of `me` with nothing else going on", idle * 1000)
        figures.tell("ms, p99 of `me` in the storm", p99(stormy) * 1000)
        figures.at_most("the one against the other", p99(stormy) / idle, TIMES_SLOWER)
        figures.tell("MiB before", before.memory_mib)
        figures.at_most("MiB at the peak", peak_mib(server.process.pid), MEMORY_MIB)
        figures.none("tracebacks", server.logged().count("Traceback"))
        leave([*people, *(Visitor(wire) for wire in asking)])
    return figures


async def settle(url: str, number: int) -> list[Visitor]:
    """So many people with accounts, a few at a time: the queue for a hash has an end."""
    people, outcomes = crowd(url, number), Outcomes()
    for first in range(0, number, AT_A_TIME):
        some = people[first : first + AT_A_TIME]
        assert {*await asyncio.gather(*(one.once(outcomes) for one in some))} == {FINE}
    return people


async def log_in(person: Visitor) -> str:
    answer = await person.wire.ask(LOGIN, username=person.username, password=PASSWORD)
    return answer.code if answer.errors else FINE


def p99(measured: list[float]) -> float:
    return quantiles(measured, n=100)[-1]
