"""RESULTS.md: the figures of each promise, the last that were measured of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soak.figures import Figures

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).with_name("RESULTS.md")

HEAD = """# Results

`make soak` writes this page, and fails at a promise that is broken. The times are one machine's.
"""


def keep(test: str, figures: Figures) -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[test] = [asdict(row) for row in figures.rows]
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    PAGE.write_text("\n".join([HEAD, *_sections(results)]))
    print(*(f"\n  {row.what}: {row.measured}" for row in figures.rows), flush=True)


def _sections(results: Mapping[str, Any]) -> Iterator[str]:
    for test, rows in sorted(results.items()):
        name, _, kind = test.removeprefix("test_").partition("[")
        database = {"sqlite]": ", on SQLite", "postgresql]": ", on PostgreSQL"}.get(kind, "")
        yield f"## {name.replace('_', ' ').capitalize()}{database}\n"
        yield "| what | measured | promised | kept |\n|---|---|---|---|"
        for row in rows:
            kept = ("yes" if row["kept"] else "**no**") if row["promised"] else ""
            yield f"| {row['what']} | {row['measured']} | {row['promised']} | {kept} |"
        yield ""
