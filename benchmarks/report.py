"""RESULTS.md and its plots, made from results.json.

It runs with the peers' Python, which has matplotlib. It prints the sentences of README.md that
repeat results.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import endpoint_sections, peer_sections, plots, sections, worker_sections
from benchmarks.claims import claims
from benchmarks.ratios import AT_THRESHOLD, Round
from benchmarks.tables import table
from benchmarks.thresholds import thresholds

HERE = Path(__file__).parent

INTRODUCTION = """\
# Results

`make bench` writes this page.
Gatehouse runs as in production: `gatehouse serve` with `ENVIRONMENT=production`, one worker, and its log written to a file, a JSON line for each request.
Only its rate limits are raised.

The server has a core of its own, and the load generator wrk has another.
PostgreSQL is one of the benchmark's own with default settings, and its processes are pinned: to **another core**, where wrk runs too, as if PostgreSQL were on another machine; or to the **same core** as the server.
SQLite runs in the server's process.
Every response is checked.

The peers run as their documentation says.
Those in Python run on uvicorn with uvloop and httptools and log a line of text for each request, as it does by default; SQLAlchemy uses asyncpg, and a pool of 20 connections in place of its default, which is slower.
Those on Node.js run in its production mode and with named statements, and Mercurius compiles documents from the first request on; Bun uses its own HTTP server and SQL client.
None of these logs requests, which is their default.
Their clients of PostgreSQL have the default pool of 10 connections, as more make them no faster.

The servers are measured one after the other, in several rounds, and a ratio compares two measurements of the same round.
The tables show the median of the rounds' ratios and, in parentheses, the lowest and the highest.
What is least favourable comes first.
The rates and times behind the ratios depend on the machine and are in `results.json`."""

SECTIONS: dict[str, Callable[[Sequence[Round]], str]] = {
    "me": peer_sections.me,
    "page": peer_sections.page,
    "endpoints": endpoint_sections.endpoints,
    "hashing": sections.hashing,
    "storm": sections.storm,
    "startup": sections.startup,
    "workers": worker_sections.workers,
    "growth": sections.growth,
}
PLOTS: dict[str, Callable[[Sequence[Round], Path], None]] = {
    "me": plots.peer_comparison,
    "growth": plots.growth,
}


def main() -> None:
    results = json.loads((HERE / "results.json").read_text())
    for part, plot in PLOTS.items():
        if part in results:
            plot(results[part], HERE / f"{part}.svg")
    parts = [section(results[part]) for part, section in SECTIONS.items() if part in results]
    page = "\n\n".join([INTRODUCTION, _thresholds(results), *parts])
    (HERE / "RESULTS.md").write_text(page + "\n")
    print('For "How fast" in README.md:', *claims(results), sep="\n")


def _thresholds(results: Mapping[str, Sequence[Round]]) -> str:
    head = ["measure", "threshold", "measured", "least favourable elsewhere", "met"]
    return f"""\
## Thresholds

They hold where PostgreSQL has another core, with {AT_THRESHOLD.connections} connections, for one worker on one core unless the row says otherwise.

{table(head, [threshold.cells for threshold in thresholds(results)])}"""


if __name__ == "__main__":
    main()
