"""From the start of a process to its first answer."""

import time
from collections.abc import Sequence
from http.client import HTTPConnection

from benchmarks.seeded_database import Town
from benchmarks.servers import PORT, start, stop
from benchmarks.targets import GATEHOUSE_SERVE, NAIVE, Contestant

EVERY_SECONDS = 0.002


def startup(towns: Sequence[Town]) -> dict[str, object]:
    return {
        town.kind: {
            contestant.name: _seconds(contestant, town) for contestant in (GATEHOUSE_SERVE, NAIVE)
        }
        for town in towns
    }


def _seconds(contestant: Contestant, town: Town) -> float:
    begun = time.perf_counter()
    process = start(contestant, town.url)
    try:
        while process.poll() is None and not _answers():
            time.sleep(EVERY_SECONDS)
        assert process.poll() is None, contestant.name
        return time.perf_counter() - begun
    finally:
        stop(process)


def _answers() -> bool:
    """Whatever it says: the peers know no /health/live, and say so."""
    connection = HTTPConnection("127.0.0.1", PORT)
    try:
        connection.request("GET", "/health/live")
        connection.getresponse()
    except OSError:
        return False
    finally:
        connection.close()
    return True
