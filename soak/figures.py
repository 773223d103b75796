"""The figures of a scenario and the limits that they must meet."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

Number: TypeAlias = float

# Characters of one figure: a thousand lost rows are as bad as the first few.
MAX_LENGTH = 300


@dataclass(frozen=True)
class Figure:
    """``required`` is empty for a figure without a limit."""

    name: str
    measured: str
    required: str = ""
    passed: bool = True


@dataclass
class Figures:
    """The figures of one scenario, checked together so that a failure does not hide the others."""

    rows: list[Figure] = field(default_factory=list)

    def record(self, name: str, measured: object) -> None:
        """Add a figure without a limit."""
        self.rows.append(Figure(name, _format(measured)))

    @contextmanager
    def on_this_machine(self) -> Iterator[None]:
        """Record the processors, and the load average at the start and at the end of the block."""
        start = os.getloadavg()[0]
        yield
        self.record("processors", os.cpu_count())
        self.record("load average: start, end", f"{start:.1f}, {os.getloadavg()[0]:.1f}")

    def at_most(self, name: str, measured: Number, most: Number) -> None:
        self.require(name, measured, f"at most {_format(most)}", measured <= most)

    def at_least(self, name: str, measured: Number, least: Number) -> None:
        self.require(name, measured, f"at least {_format(least)}", measured >= least)

    def none(self, name: str, found: object) -> None:
        """Require ``found`` to be zero or an empty collection."""
        self.require(name, found or "none", "none", not found)

    def assert_passed(self) -> None:
        """Raise AssertionError with every figure that missed its limit."""
        failed = [row for row in self.rows if not row.passed]
        assert not failed, "\n".join(
            f"{row.name}: {row.measured}, required: {row.required}" for row in failed
        )

    def require(self, name: str, measured: object, required: str, passed: bool) -> None:
        """Add a figure with a limit in words."""
        self.rows.append(Figure(name, _format(measured), required, passed))


def _format(measured: object) -> str:
    text = f"{measured:.3g}" if isinstance(measured, float) else str(measured)
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}..."
