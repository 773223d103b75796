"""RESULTS.md and its plots, made from results.json.

It runs with the peers' Python, which has matplotlib.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import plots, sections
from benchmarks.ratios import Round
from benchmarks.thresholds import thresholds

HERE = Path(__file__).parent

INTRODUCTION = """\
# Results

`make bench` writes this page.
Each server runs one worker on one core, the load generator runs on another core, and PostgreSQL uses both.
The servers are measured one after the other, in several rounds.
A ratio compares two measurements of the same round.
The tables show the median of the rounds' ratios and, in parentheses, the lowest and the highest.
The rates and times behind the ratios depend on the machine and are in `results.json`."""

SECTIONS: dict[str, Callable[[Sequence[Round]], str]] = {
    "me": sections.me,
    "page": sections.page,
    "hashing": sections.hashing,
    "storm": sections.storm,
    "startup": sections.startup,
    "workers": sections.workers,
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


def _thresholds(results: Mapping[str, Sequence[Round]]) -> str:
    lines = "\n".join(f"| {threshold} |" for threshold in thresholds(results))
    return f"""\
## Thresholds

| measure | threshold | SQLite | PostgreSQL | met |
|---|---|---|---|---|
{lines}"""


if __name__ == "__main__":
    main()
