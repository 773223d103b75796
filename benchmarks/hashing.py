"""`login` and `register` with OWASP's Argon2 parameters, beside a process that only runs Argon2."""

import itertools
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.measurement import Figures, measure
from benchmarks.operations import LOGIN, REGISTER, body
from benchmarks.placements import (
    ALL_CORES,
    BOTH_CORES,
    LOAD_CORE,
    OTHER_CORE,
    SERVER_CORE,
    SQLITE,
)
from benchmarks.seeded_database import PASSWORD, USERS, Databases, SeededDatabase
from benchmarks.servers import serving
from benchmarks.targets import GATEHOUSE
from benchmarks.wrk import SECONDS, Request

ARGON2 = Path(__file__).with_name("argon2_baseline.py")

HASHING_KINDS = (OTHER_CORE, ALL_CORES, SQLITE)

# Enough that each thread always has a queued password.
CONNECTIONS = 16

# More than can register during one load.
NEW_USERS = 2_000

LOGINS = [Request(body(LOGIN, username=f"user.{n}", password=PASSWORD)) for n in range(USERS)]
_numbers = itertools.count()


def hashing(databases: Databases) -> dict[str, object]:
    """Return figures by number of cores and kind of database, beside the verifications a second of
    Argon2 alone.

    Each core has one hashing thread.
    """
    of_one, of_two = ((databases[kind], databases[SQLITE]) for kind in (OTHER_CORE, ALL_CORES))
    return {
        "1": _measure(of_one, SERVER_CORE, LOAD_CORE),
        # The load generator needs almost nothing of the second core.
        "2": _measure(of_two, BOTH_CORES, BOTH_CORES),
    }


def _measure(databases: Iterable[SeededDatabase], cores: str, load_cores: str) -> dict[str, object]:
    threads = len(cores.split(","))
    return {"Argon2": _argon2_alone(cores, threads)} | {
        database.kind: _measure_on(database, cores, load_cores) for database in databases
    }


def _argon2_alone(cores: str, threads: int) -> float:
    command = ["taskset", "-c", cores, sys.executable, str(ARGON2), str(threads), str(SECONDS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _measure_on(database: SeededDatabase, cores: str, load_cores: str) -> dict[str, Figures]:
    load = partial(
        measure,
        postgres=database.postgres,
        path="/graphql",
        expected='"accessToken"',
        connections=CONNECTIONS,
        cores=load_cores,
    )
    with serving(GATEHOUSE, database.url, cores=cores) as server:
        load(server, requests=LOGINS, seconds=1)  # warm up
        return {
            "login": load(server, requests=LOGINS),
            "register": load(server, requests=list(_registrations())),
        }


def _registrations() -> Iterator[Request]:
    for number in itertools.islice(_numbers, NEW_USERS):
        user = {
            "username": f"new.user.{number}",
            "email": f"new.user{number}@example.com",
            "password": PASSWORD,
        }
        yield Request(body(REGISTER, input=user))
