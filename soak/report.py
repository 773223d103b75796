"""RESULTS.md: the last measured figures of each guarantee."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soak.figures import Figures

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).with_name("RESULTS.md")

# What happened to a server, as the id of a test.
STATES = ("stopped", "frozen")

HEAD = """# Results

`make soak` measures these figures, writes this page, and fails if a figure misses its limit.
The times depend on the machine.
"""


def save(test: str, figures: Figures) -> None:
    """Replace the figures of a test in results.json, rewrite RESULTS.md, and print the figures."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[test] = [asdict(row) for row in figures.rows]
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    write_page(results)
    print(*(f"\n  {row.name}: {row.measured}" for row in figures.rows), flush=True)


def write_page(results: Mapping[str, Any]) -> None:
    PAGE.write_text("\n".join([HEAD, *_sections(results)]))


def _sections(results: Mapping[str, Any]) -> Iterator[str]:
    for test, rows in sorted(results.items()):
        yield f"## {_title(test)}\n"
        yield "| figure | measured | required | passed |\n|---|---|---|---|"
        for row in rows:
            passed = ("yes" if row["passed"] else "**no**") if row["required"] else ""
            yield f"| {row['name']} | {row['measured']} | {row['required']} | {passed} |"
        yield ""


def _title(test: str) -> str:
    """Return the name of a test as a title, with its database or what happened to it."""
    name, _, database = test.removeprefix("test_").removesuffix("]").partition("[")
    how = f", {database}" if database in STATES else f" on {database}" if database else ""
    title = name.replace("_", " ").capitalize() + how
    for name in ("SQLite", "PostgreSQL", "PgBouncer"):
        title = title.replace(name.lower(), name).replace(name.capitalize(), name)
    return title
