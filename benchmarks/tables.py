"""Tables in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.placements import KINDS
from benchmarks.ratios import Ratios, worst


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)


def table_by(columns: Iterable[Any], head: str, rows: Mapping[str, Mapping[Any, object]]) -> str:
    """Return a table of what the rows have under each column. What a row lacks stays empty."""
    columns = list(columns)
    cells = ([name, *(row.get(column, "") for column in columns)] for name, row in rows.items())
    return table([head, *map(str, columns)], cells)


def table_by_kind(head: str, rows: Mapping[str, Mapping[str, object]]) -> str:
    """Return a table with a column for each kind of database that a row has."""
    present = [kind for kind in KINDS if any(kind in row for row in rows.values())]
    return table_by(present, head, rows)


def least_favourable_first(
    rows: Mapping[str, Mapping[Any, Ratios]], *, at_most: bool = False
) -> dict[str, Mapping[Any, Ratios]]:
    """Sort rows by the least favourable of their medians."""

    def key(name: str) -> float:
        median = worst(rows[name], at_most=at_most)[1].median
        return -median if at_most else median

    return {name: rows[name] for name in sorted(rows, key=key)}
