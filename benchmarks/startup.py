"""The time from the start of a process to its first response."""

import time
from collections.abc import Sequence
from http.client import HTTPConnection

from benchmarks.seeded_database import SeededDatabase
from benchmarks.servers import PORT, start, stop
from benchmarks.targets import GATEHOUSE_SERVE, NAIVE, Target

POLL_SECONDS = 0.002


def startup(databases: Sequence[SeededDatabase]) -> dict[str, object]:
    return {
        database.kind: {
            target.name: _seconds(target, database) for target in (GATEHOUSE_SERVE, NAIVE)
        }
        for database in databases
    }


def _seconds(target: Target, database: SeededDatabase) -> float:
    began = time.perf_counter()
    process = start(target, database.url)
    try:
        while process.poll() is None and not _responds():
            time.sleep(POLL_SECONDS)
        assert process.poll() is None, target.name
        return time.perf_counter() - began
    finally:
        stop(process)


def _responds() -> bool:
    """Return whether there is a response of any status: the peers have no /health/live."""
    connection = HTTPConnection("127.0.0.1", PORT)
    try:
        connection.request("GET", "/health/live")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True
