"""`me` at a steady rate, first alone and then while 16 clients log in continuously.

The naive stack hashes on the event loop, as a tutorial does.
"""

from concurrent.futures import ThreadPoolExecutor
from statistics import quantiles

from benchmarks import steady_load, wrk
from benchmarks.operations import LOGIN_ACCESS_TOKEN, ME, body
from benchmarks.placements import OTHER_CORE, SQLITE
from benchmarks.seeded_database import PASSWORD, USERS, Databases, SeededDatabase
from benchmarks.servers import serving
from benchmarks.targets import GATEHOUSE, NAIVE, Target
from benchmarks.wrk import SECONDS, Request

# By kind of database.
TARGETS = {OTHER_CORE: (GATEHOUSE, NAIVE), SQLITE: (GATEHOUSE,)}
STORM_KINDS = tuple(TARGETS)
LOGIN_CONNECTIONS = 16
CONNECTIONS = 8
REQUESTS_PER_SECOND = 50

# Long enough that one per cent of the requests is more than a few.
DURATION_SECONDS = 4 * SECONDS

LOGINS = [
    Request(body(LOGIN_ACCESS_TOKEN, username=f"user.{n}", password=PASSWORD)) for n in range(USERS)
]


def login_storm(databases: Databases) -> dict[str, object]:
    """Return the p99 before and during the storm in milliseconds, and the peak memory in MiB."""
    return {
        kind: {target.name: _measure(target, databases[kind]) for target in targets}
        for kind, targets in TARGETS.items()
    }


def _measure(target: Target, database: SeededDatabase) -> dict[str, float]:
    with serving(target, database.url) as server:
        _p99_ms(database, seconds=1)  # warm up
        idle = _p99_ms(database, DURATION_SECONDS)
        with ThreadPoolExecutor(1) as background:
            logins = background.submit(_log_in, DURATION_SECONDS + 1)
            storm = _p99_ms(database, DURATION_SECONDS)
            logins.result()
        return {"idle": idle, "storm": storm, "memory": server.peak_memory_mib}


def _log_in(seconds: int) -> None:
    wrk.load(
        "/graphql",
        LOGINS,
        expected='"accessToken"',
        connections=LOGIN_CONNECTIONS,
        seconds=seconds,
    )


def _p99_ms(database: SeededDatabase, seconds: int) -> float:
    times = steady_load.response_times_ms(
        database.requests(body(ME)),
        connections=CONNECTIONS,
        rate=REQUESTS_PER_SECOND,
        seconds=seconds,
    )
    return quantiles(times, n=100)[-1]
