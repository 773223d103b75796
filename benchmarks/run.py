"""`make bench`: measures Gatehouse and its peers into results.json, which `report.py` reads.

Each server runs as one process on one core, the load generator on the other, and PostgreSQL on
both, as each server needs it. The servers are measured one after the other, round by round, so that
other load on the machine affects all of them alike.

``ONLY=me,page`` measures these parts and keeps the other results.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.bulk_rows import bulk_databases
from benchmarks.growth import growth
from benchmarks.hashing import hashing
from benchmarks.login_storm import login_storm
from benchmarks.peer_comparison import me, page
from benchmarks.seeded_database import SeededDatabase, seeded_databases
from benchmarks.servers import LOAD_CORE
from benchmarks.startup import startup
from benchmarks.workers import workers

ROUNDS = int(os.environ.get("ROUNDS", "5"))
RESULTS = Path(__file__).with_name("results.json")

Round = Mapping[str, object]
PARTS: dict[str, Callable[[Sequence[SeededDatabase]], Round]] = {
    "me": me,
    "page": page,
    "hashing": hashing,
    "storm": login_storm,
    "startup": startup,
    "workers": workers,
}


def main() -> None:
    # This process sends requests too. The servers are pinned to their cores in `servers`.
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    chosen = os.environ.get("ONLY", ",".join([*PARTS, "growth"])).split(",")
    if parts := [part for part in chosen if part in PARTS]:
        with seeded_databases() as databases:
            for part in parts:
                _save(part, [_print(part, PARTS[part](databases)) for _ in range(ROUNDS)])
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
