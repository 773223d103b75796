"""What became of the lines of an import."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from domain.accounts import ImportOutcome, NotImported

# Without a file to write the report to.
MAX_SHOWN = 20


@dataclass
class ImportReport:
    """Counts what is added, and writes each problem to the ``file`` as a line of JSON.

    Has nothing of what was in the line: that may be a password hash.
    """

    file: TextIO | None
    imported: int = 0
    existing: int = 0
    refused: int = 0
    #: A line can have several.
    problems: int = 0
    #: The first problems, as text.
    shown: list[str] = field(default_factory=list)

    def add(self, outcome: ImportOutcome, unreadable: list[NotImported]) -> None:
        self.imported += outcome.created
        self.existing += outcome.existing
        lines = [*outcome.not_imported, *unreadable]
        for line in sorted(lines, key=lambda line: line.line):
            self._add_line(line)

    @property
    def counts(self) -> dict[str, int]:
        return {
            "imported": self.imported,
            "existing": self.existing,
            "refused": self.refused,
        }

    def _add_line(self, line: NotImported) -> None:
        self.refused += 1
        for name, messages in line.problems.items():
            for message in messages:
                self.problems += 1
                if len(self.shown) < MAX_SHOWN:
                    self.shown.append(f"line {line.line}: {name}: {message}")
                if self.file:
                    problem = {"line": line.line, "field": name, "reason": message}
                    print(json.dumps(problem), file=self.file)


@contextmanager
def import_report(path: Path | None) -> Iterator[ImportReport]:
    """Open the report, in a file if one is given."""
    if path is None:
        yield ImportReport(None)
        return
    with path.open("w", encoding="utf-8") as file:
        yield ImportReport(file)
