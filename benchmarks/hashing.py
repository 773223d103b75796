"""`login` and `register`, with Argon2 at OWASP's parameters, beside a process that does nothing but Argon2."""

import itertools
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import wrk
from benchmarks.operations import LOGIN, REGISTER, body
from benchmarks.seeded_database import PASSWORD, PEOPLE, Town
from benchmarks.servers import BOTH_CORES, LOAD_CORE, SERVER_CORE, serving
from benchmarks.targets import GATEHOUSE
from benchmarks.wrk import SECONDS, Request

ARGON2 = Path(__file__).with_name("argon2_baseline.py")

# Enough that no thread ever waits for the next password.
CONNECTIONS_PER_THREAD = 4

# More than there is time to register in one load.
NEWCOMERS = 2_000

LOGINS = [Request(body(LOGIN, username=f"person.{n}", password=PASSWORD)) for n in range(PEOPLE)]
_numbers = itertools.count()


def hashing(towns: Sequence[Town]) -> dict[str, object]:
    """By the number of cores, each with a thread that hashes: what Argon2 alone does in a second, and what each town does."""
    return {
        "1": _round(towns, SERVER_CORE, LOAD_CORE),
        # The load tool needs next to nothing of the second core.
        "2": _round(towns, BOTH_CORES, BOTH_CORES),
    }


def _round(towns: Sequence[Town], cores: str, load_cores: str) -> dict[str, object]:
    threads = len(cores.split(","))
    return {"Argon2": _argon2_alone(cores, threads)} | {
        town.kind: _rates(town, cores, load_cores, threads) for town in towns
    }


def _argon2_alone(cores: str, threads: int) -> float:
    command = ["taskset", "-c", cores, sys.executable, str(ARGON2), str(threads), str(SECONDS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _rates(town: Town, cores: str, load_cores: str, threads: int) -> dict[str, float]:
    connections = threads * CONNECTIONS_PER_THREAD

    def rate(requests: Sequence[Request]) -> float:
        return wrk.load("/graphql", requests, connections=connections, cores=load_cores).rate

    with serving(GATEHOUSE, town.url, cores=cores):
        wrk.load("/graphql", LOGINS, connections=connections, cores=load_cores, seconds=1)
        return {"login": rate(LOGINS), "register": rate(list(_newcomers()))}


def _newcomers() -> Iterator[Request]:
    for number in itertools.islice(_numbers, NEWCOMERS):
        newcomer = {
            "username": f"newcomer.{number}",
            "email": f"newcomer{number}@example.com",
            "password": PASSWORD,
        }
        yield Request(body(REGISTER, input=newcomer))
