"""What a scenario measured, and what was promised of it."""

from dataclasses import dataclass, field
from typing import TypeAlias

Number: TypeAlias = float


@dataclass(frozen=True)
class Figure:
    """``promised`` is empty for what is only told."""

    what: str
    measured: str
    promised: str = ""
    kept: bool = True


@dataclass
class Figures:
    """Collected one by one, and judged together: a broken promise hides no other figure."""

    rows: list[Figure] = field(default_factory=list)

    def tell(self, what: str, measured: object) -> None:
        self.rows.append(Figure(what, _written(measured)))

    def at_most(self, what: str, measured: Number, most: Number) -> None:
        self._promise(what, measured, f"at most {_written(most)}", measured <= most)

    def at_least(self, what: str, measured: Number, least: Number) -> None:
        self._promise(what, measured, f"at least {_written(least)}", measured >= least)

    def none(self, what: str, found: object) -> None:
        """Nothing of a kind, whatever kind of collection it is in."""
        self._promise(what, found or "none", "none", not found)

    def hold(self) -> None:
        """Raises AssertionError, with each promise that was broken."""
        broken = [row for row in self.rows if not row.kept]
        assert not broken, "\n".join(
            f"{row.what}: {row.measured}, promised was {row.promised}" for row in broken
        )

    def _promise(self, what: str, measured: object, promised: str, kept: bool) -> None:
        self.rows.append(Figure(what, _written(measured), promised, kept))


def _written(measured: object) -> str:
    text = f"{measured:.3g}" if isinstance(measured, float) else str(measured)
    return text if len(text) <= MAX_LENGTH else f"{text[:MAX_LENGTH]}..."


# Of one figure: a thousand lost rows are as bad as the first few.
MAX_LENGTH = 300
