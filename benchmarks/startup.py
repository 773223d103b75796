"""The time from the start of a process to its first response."""

import time
from http.client import HTTPConnection

from benchmarks.placements import OTHER_CORE, SQLITE
from benchmarks.seeded_database import Databases, SeededDatabase
from benchmarks.servers import PORT, start
from benchmarks.targets import GATEHOUSE, NAIVE, Target

STARTUP_KINDS = (OTHER_CORE, SQLITE)
POLL_SECONDS = 0.002


def startup(databases: Databases) -> dict[str, object]:
    return {
        kind: {target.name: _seconds(target, databases[kind]) for target in (GATEHOUSE, NAIVE)}
        for kind in STARTUP_KINDS
    }


def _seconds(target: Target, database: SeededDatabase) -> float:
    began = time.perf_counter()
    server = start(target, database.url)
    try:
        while server.process.poll() is None and not _responds():
            time.sleep(POLL_SECONDS)
        assert server.process.poll() is None, target.name
        return time.perf_counter() - began
    finally:
        server.stop()


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
