"""`me` with one worker and with two, on two cores shared with the load generator and PostgreSQL."""

from collections.abc import Sequence

from benchmarks import wrk
from benchmarks.operations import ME, body
from benchmarks.peer_comparison import CONNECTIONS
from benchmarks.seeded_database import SeededDatabase
from benchmarks.servers import BOTH_CORES, serving
from benchmarks.targets import gatehouse
from benchmarks.wrk import SECONDS

NUMBERS = (1, 2)


def workers(databases: Sequence[SeededDatabase]) -> dict[str, object]:
    """Return the requests a second by kind of database and by number of workers."""
    return {
        database.kind: {str(number): _rate(number, database) for number in NUMBERS}
        for database in databases
    }


def _rate(number: int, database: SeededDatabase) -> float:
    requests = database.requests(body(ME))

    def rate(seconds: int) -> float:
        return wrk.load(
            "/graphql", requests, connections=CONNECTIONS, cores=BOTH_CORES, seconds=seconds
        ).rate

    with serving(gatehouse("--workers", str(number)), database.url, cores=BOTH_CORES):
        rate(1)  # warm up
        return rate(SECONDS)
