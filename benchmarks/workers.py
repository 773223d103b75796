"""`me` by one worker and by two, on two cores that they share with the load tool and with PostgreSQL."""

from collections.abc import Sequence

from benchmarks import wrk
from benchmarks.operations import ME, body
from benchmarks.peer_comparison import CONNECTIONS
from benchmarks.seeded_database import Town
from benchmarks.servers import BOTH_CORES, serving
from benchmarks.targets import gatehouse
from benchmarks.wrk import SECONDS

NUMBERS = (1, 2)


def workers(towns: Sequence[Town]) -> dict[str, object]:
    return {town.kind: {str(number): _rate(number, town) for number in NUMBERS} for town in towns}


def _rate(number: int, town: Town) -> float:
    requests = town.all_ask(body(ME))

    def rate(seconds: int) -> float:
        return wrk.load(
            "/graphql", requests, connections=CONNECTIONS, cores=BOTH_CORES, seconds=seconds
        ).rate

    with serving(gatehouse("--workers", str(number)), town.url, cores=BOTH_CORES):
        rate(1)  # to warm up
        return rate(SECONDS)
