"""`login` and `register` with OWASP's Argon2 parameters, beside a process that only runs Argon2."""

import itertools
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import wrk
from benchmarks.operations import LOGIN, REGISTER, body
from benchmarks.seeded_database import PASSWORD, USERS, SeededDatabase
from benchmarks.servers import BOTH_CORES, LOAD_CORE, SERVER_CORE, serving
from benchmarks.targets import GATEHOUSE
from benchmarks.wrk import SECONDS, Request

ARGON2 = Path(__file__).with_name("argon2_baseline.py")

# Enough that a thread always has a queued password.
CONNECTIONS_PER_THREAD = 4

# More than can register during one load.
NEW_USERS = 2_000

LOGINS = [Request(body(LOGIN, username=f"user.{n}", password=PASSWORD)) for n in range(USERS)]
_numbers = itertools.count()


def hashing(databases: Sequence[SeededDatabase]) -> dict[str, object]:
    """Return operations a second by number of cores, then for Argon2 alone and by kind of database.

    Each core has one hashing thread.
    """
    return {
        "1": _measure(databases, SERVER_CORE, LOAD_CORE),
        # The load generator needs almost nothing of the second core.
        "2": _measure(databases, BOTH_CORES, BOTH_CORES),
    }


def _measure(databases: Sequence[SeededDatabase], cores: str, load_cores: str) -> dict[str, object]:
    threads = len(cores.split(","))
    return {"Argon2": _argon2_alone(cores, threads)} | {
        database.kind: _rates(database, cores, load_cores, threads) for database in databases
    }


def _argon2_alone(cores: str, threads: int) -> float:
    command = ["taskset", "-c", cores, sys.executable, str(ARGON2), str(threads), str(SECONDS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _rates(database: SeededDatabase, cores: str, load_cores: str, threads: int) -> dict[str, float]:
    connections = threads * CONNECTIONS_PER_THREAD

    def rate(requests: Sequence[Request]) -> float:
        return wrk.load("/graphql", requests, connections=connections, cores=load_cores).rate

    with serving(GATEHOUSE, database.url, cores=cores):
        wrk.load("/graphql", LOGINS, connections=connections, cores=load_cores, seconds=1)
        return {"login": rate(LOGINS), "register": rate(list(_registrations()))}


def _registrations() -> Iterator[Request]:
    for number in itertools.islice(_numbers, NEW_USERS):
        user = {
            "username": f"new.user.{number}",
            "email": f"new.user{number}@example.com",
            "password": PASSWORD,
        }
        yield Request(body(REGISTER, input=user))
