"""`make bench`: measures Gatehouse and its peers into results.json, which `report.py` reads.

The servers are measured one after the other, round by round, so that other load on the machine
affects all of them alike.

``ONLY=me,page`` measures these parts and keeps the other results.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.bulk_rows import bulk_databases
from benchmarks.endpoints import ENDPOINT_KINDS, endpoints
from benchmarks.growth import growth
from benchmarks.hashing import HASHING_KINDS, hashing
from benchmarks.login_storm import STORM_KINDS, login_storm
from benchmarks.peer_comparison import PEER_KINDS, me, page
from benchmarks.placements import LOAD_CORE, as_set
from benchmarks.seeded_database import Databases, seeded_databases
from benchmarks.startup import STARTUP_KINDS, startup
from benchmarks.workers import WORKER_KINDS, workers

ROUNDS = int(os.environ.get("ROUNDS", "3"))
RESULTS = Path(__file__).with_name("results.json")

Round = Mapping[str, object]

# Each with the databases that it needs.
PARTS: dict[str, tuple[Callable[[Databases], Round], Sequence[str]]] = {
    "me": (me, PEER_KINDS),
    "page": (page, PEER_KINDS),
    "endpoints": (endpoints, ENDPOINT_KINDS),
    "hashing": (hashing, HASHING_KINDS),
    "storm": (login_storm, STORM_KINDS),
    "startup": (startup, STARTUP_KINDS),
    "workers": (workers, WORKER_KINDS),
}


def main() -> None:
    # This process sends requests too. The servers are pinned to their cores in `servers`.
    os.sched_setaffinity(0, as_set(LOAD_CORE))
    chosen = os.environ.get("ONLY", ",".join([*PARTS, "growth"])).split(",")
    parts = [part for part in chosen if part in PARTS]
    with seeded_databases({kind for part in parts for kind in PARTS[part][1]}) as databases:
        for part in parts:
            measure, _ = PARTS[part]
            _save(part, [_print(part, measure(databases)) for _ in range(ROUNDS)])
    if "growth" in chosen:
        with bulk_databases() as filled:
            _save("growth", [_print("growth", growth(filled)) for _ in range(ROUNDS)])


def _save(part: str, rounds: Sequence[Round]) -> None:
    """Replace the earlier results of the part."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(results | {part: rounds}, indent=1) + "\n")


def _print(part: str, figures: Round) -> Round:
    print(part, json.dumps(figures), flush=True)
    return figures


if __name__ == "__main__":
    main()
