"""`make bench`: Gatehouse and its peers side by side, measured into results.json, of which `report.py` makes RESULTS.md.

Each contestant runs as one process on one core, the load tool on the other, PostgreSQL on both, as each of them needs
it. They take turns, round by round, so that whatever else the machine does falls on all alike.

``ONLY=me,page`` measures a part, and leaves the rest of results.json as it is.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks.bulk_rows import crowds
from benchmarks.growth import growth
from benchmarks.hashing import hashing
from benchmarks.login_storm import storm
from benchmarks.peer_comparison import me, page
from benchmarks.seeded_database import Town, towns
from benchmarks.servers import LOAD_CORE
from benchmarks.startup import startup
from benchmarks.workers import workers

ROUNDS = int(os.environ.get("ROUNDS", "5"))
RESULTS = Path(__file__).with_name("results.json")

Round = Mapping[str, object]
PARTS: dict[str, Callable[[Sequence[Town]], Round]] = {
    "me": me,
    "page": page,
    "hashing": hashing,
    "storm": storm,
    "startup": startup,
    "workers": workers,
}


def main() -> None:
    # Whatever asks is on this core; `servers` puts those who answer where they belong.
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    chosen = os.environ.get("ONLY", ",".join([*PARTS, "growth"])).split(",")
    if parts := [part for part in chosen if part in PARTS]:
        with towns() as settled:
            for part in parts:
                _keep(part, [_say(part, PARTS[part](settled)) for _ in range(ROUNDS)])
    if "growth" in chosen:
        with crowds() as gathered:
            _keep("growth", [_say("growth", growth(gathered)) for _ in range(ROUNDS)])


def _keep(name: str, rounds: Sequence[Round]) -> None:
    """In the place of what was measured of it before."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(results | {name: rounds}, indent=1) + "\n")


def _say(name: str, figures: Round) -> Round:
    print(name, json.dumps(figures), flush=True)
    return figures


if __name__ == "__main__":
    main()
