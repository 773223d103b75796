"""`me` at a steady pace, with nothing else going on and while sixteen people at a time log in; and the memory that takes.

The naive stack hashes where it answers, as a tutorial does.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

from benchmarks import steady_load, wrk
from benchmarks.operations import BARE_LOGIN, ME, body
from benchmarks.seeded_database import PASSWORD, PEOPLE, Town
from benchmarks.servers import memory_mib, serving
from benchmarks.targets import GATEHOUSE, NAIVE, Contestant
from benchmarks.wrk import SECONDS, Request

LOGGING_IN = 16
CONNECTIONS = 8
A_SECOND = 50

# For a hundredth of them to be more than a few.
LASTS = 3 * SECONDS

LOGINS = [
    Request(body(BARE_LOGIN, username=f"person.{n}", password=PASSWORD)) for n in range(PEOPLE)
]


def storm(towns: Sequence[Town]) -> dict[str, object]:
    return {
        town.kind: {one.name: _measure(one, town) for one in (GATEHOUSE, NAIVE)} for town in towns
    }


def _measure(contestant: Contestant, town: Town) -> dict[str, float]:
    with serving(contestant, town.url) as process:
        _p99_ms(town, seconds=1)  # to warm up
        idle = _p99_ms(town, LASTS)
        with ThreadPoolExecutor(1) as beside:
            logging_in = beside.submit(_log_in, LASTS + 1)
            stormy = _p99_ms(town, LASTS)
            logging_in.result()
        memory = memory_mib(process, at_its_peak=True)
    return {"idle": idle, "storm": stormy, "memory": memory}


def _log_in(seconds: int) -> None:
    wrk.load("/graphql", LOGINS, connections=LOGGING_IN, seconds=seconds)


def _p99_ms(town: Town, seconds: int) -> float:
    requests = town.all_ask(body(ME))
    times = steady_load.times_ms(requests, connections=CONNECTIONS, rate=A_SECOND, seconds=seconds)
    return quantiles(times, n=100)[-1]
