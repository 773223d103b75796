"""The ratios of several rounds: their median and their spread."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import targets

KINDS = ("SQLite", "PostgreSQL")
GATEHOUSE = targets.GATEHOUSE.name

Round = Mapping[str, Any]


@dataclass(frozen=True)
class Ratios:
    """A summary of one ratio over all rounds.

    Both values of a ratio come from the same round, in which they were measured one after the
    other. So other load on the machine affects both.
    """

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, ratios: Iterable[float]) -> "Ratios":
        ratios = list(ratios)
        return cls(statistics.median(ratios), min(ratios), max(ratios))

    def __str__(self) -> str:
        return f"{_format(self.median)} ({_format(self.lowest)} to {_format(self.highest)})"


ByKind = Mapping[str, Ratios]


def by_kind(rounds: Sequence[Round], ratio: Callable[[Any], float]) -> ByKind:
    """Return the ratio for each kind of database, from the results of a round on that kind."""
    return {kind: Ratios.of(ratio(each[kind]) for each in rounds) for kind in KINDS}


def relative_to(rounds: Sequence[Round], peer: str, measure: str = "rate") -> ByKind:
    """Return Gatehouse's measure divided by a peer's, on the databases that the peer supports."""
    return {
        kind: Ratios.of(
            each[kind][GATEHOUSE][measure] / each[kind][peer][measure] for each in rounds
        )
        for kind in KINDS
        if peer in rounds[0][kind]
    }


def relative_to_argon2(rounds: Sequence[Round], cores: str, operation: str) -> ByKind:
    return {
        kind: Ratios.of(each[cores][kind][operation] / each[cores]["Argon2"] for each in rounds)
        for kind in KINDS
    }


def storm_slowdown(rounds: Sequence[Round], target: str) -> ByKind:
    """Return a target's p99 in the login storm, divided by its p99 before."""
    return by_kind(rounds, lambda results: results[target]["storm"] / results[target]["idle"])


def relative_to_fewest_users(rounds: Sequence[Round], users: str, operation: str) -> ByKind:
    """Return an operation's time with ``users`` users, divided by its time with the fewest."""
    fewest = next(iter(rounds[0][KINDS[0]]))
    return by_kind(rounds, lambda results: results[users][operation] / results[fewest][operation])


def _format(ratio: float) -> str:
    if ratio < 0.1:
        return f"{ratio:.1g}"
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:.0f}"
