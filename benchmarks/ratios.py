"""What several rounds come to: the median of their ratios, and how far they lie apart."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.targets import GATEHOUSE

KINDS = ("SQLite", "PostgreSQL")
US = GATEHOUSE.name

Round = Mapping[str, Any]


@dataclass(frozen=True)
class Ratios:
    """Two are divided within a round, where they ran one after the other: what else the machine did falls on both."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, ratios: Iterable[float]) -> "Ratios":
        ratios = list(ratios)
        return cls(statistics.median(ratios), min(ratios), max(ratios))

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.lowest)} to {_short(self.highest)})"


ByKind = Mapping[str, Ratios]


def by_kind(rounds: Sequence[Round], ratio: Callable[[Any], float]) -> ByKind:
    return {kind: Ratios.of(ratio(one[kind]) for one in rounds) for kind in KINDS}


def against(rounds: Sequence[Round], peer: str, what: str = "rate") -> ByKind:
    """Gatehouse's divided by a peer's, on the databases that the peer knows."""
    return {
        kind: Ratios.of(one[kind][US][what] / one[kind][peer][what] for one in rounds)
        for kind in KINDS
        if peer in rounds[0][kind]
    }


def of_argon2(rounds: Sequence[Round], cores: str, what: str) -> ByKind:
    return {
        kind: Ratios.of(one[cores][kind][what] / one[cores]["Argon2"] for one in rounds)
        for kind in KINDS
    }


def slower_in_storm(rounds: Sequence[Round], whose: str) -> ByKind:
    return by_kind(rounds, lambda of: of[whose]["storm"] / of[whose]["idle"])


def of_the_fewest(rounds: Sequence[Round], people: str, question: str) -> ByKind:
    """The time of a question among so many, divided by its time among the fewest."""
    fewest = next(iter(rounds[0][KINDS[0]]))
    return by_kind(rounds, lambda of: of[people][question] / of[fewest][question])


def _short(ratio: float) -> str:
    if ratio < 0.1:
        return f"{ratio:.1g}"
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:.0f}"
