"""RESULTS.md and its plots, of results.json. Run by the peers' Python, which has matplotlib."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import plots, sections
from benchmarks.ratios import Round
from benchmarks.thresholds import bars

HERE = Path(__file__).parent

INTRODUCTION = """\
# Results

`make bench` writes this page. One worker of each runs on one core, what asks it on another, PostgreSQL on both. They take
turns, and a ratio is of two that ran in one round: the median of the rounds' ratios and, in parentheses, the lowest and the
highest. The rates and times behind them are one machine's, and in `results.json`."""

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
    "me": plots.beside_peers,
    "growth": plots.growth,
}


def main() -> None:
    results = json.loads((HERE / "results.json").read_text())
    for part, plot in PLOTS.items():
        if part in results:
            plot(results[part], HERE / f"{part}.svg")
    written = [section(results[part]) for part, section in SECTIONS.items() if part in results]
    (HERE / "RESULTS.md").write_text("\n\n".join([INTRODUCTION, _bars(results), *written]) + "\n")


def _bars(results: Mapping[str, Sequence[Round]]) -> str:
    lines = "\n".join(f"| {bar} |" for bar in bars(results))
    return f"""\
## The bars

| what | bar | SQLite | PostgreSQL | met |
|---|---|---|---|---|
{lines}"""


if __name__ == "__main__":
    main()
