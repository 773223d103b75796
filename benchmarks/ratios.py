"""The ratios of several rounds: their median and their spread."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import targets
from benchmarks.placements import KINDS, OTHER_CORE

GATEHOUSE = targets.GATEHOUSE.name

# Those of the thresholds.
CONNECTIONS = "16"

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
        return f"{brief(self.median)} ({brief(self.lowest)} to {brief(self.highest)})"


ByKind = Mapping[str, Ratios]


@dataclass(frozen=True)
class Place:
    """The kind of database, and the connections of the load generator."""

    kind: str
    connections: str

    def __str__(self) -> str:
        return f"{self.kind}, {self.connections} connections"


# Where the thresholds hold.
AT_THRESHOLD = Place(OTHER_CORE, CONNECTIONS)

ByPlace = Mapping[Place, Ratios]


def by_kind(
    rounds: Sequence[Round], ratio: Callable[[Any], float], *, beside: str | None = None
) -> ByKind:
    """Return the ratio for each kind of database, from the results of a round on that kind.

    With ``beside``, only for the kinds on which this peer was measured.
    """
    kinds = [
        kind for kind in KINDS if kind in rounds[0] and (not beside or beside in rounds[0][kind])
    ]
    return {kind: Ratios.of(ratio(each[kind]) for each in rounds) for kind in kinds}


def relative_to(rounds: Sequence[Round], peer: str, measure: str = "rate") -> ByPlace:
    """Return Gatehouse's measure divided by a peer's, wherever the peer was measured."""
    return {
        Place(kind, connections): Ratios.of(
            each[kind][GATEHOUSE][connections][measure] / each[kind][peer][connections][measure]
            for each in rounds
        )
        for kind in KINDS
        if peer in rounds[0].get(kind, {})
        for connections in ("4", "16", "64")
    }


def memory_relative_to(rounds: Sequence[Round], peer: str) -> ByKind:
    return by_kind(
        rounds, lambda results: results[GATEHOUSE]["memory"] / results[peer]["memory"], beside=peer
    )


def relative_to_argon2(rounds: Sequence[Round], cores: str, operation: str) -> ByKind:
    kinds = [kind for kind in KINDS if kind in rounds[0][cores]]
    return {
        kind: Ratios.of(
            each[cores][kind][operation]["rate"] / each[cores]["Argon2"] for each in rounds
        )
        for kind in kinds
    }


def storm_slowdown(rounds: Sequence[Round], target: str) -> ByKind:
    """Return a target's p99 in the login storm, divided by its p99 before."""
    return by_kind(
        rounds, lambda results: results[target]["storm"] / results[target]["idle"], beside=target
    )


def relative_to_fewest_users(rounds: Sequence[Round], users: str, operation: str) -> ByKind:
    """Return an operation's time with ``users`` users, divided by its time with the fewest."""
    fewest = next(iter(rounds[0][OTHER_CORE]))
    return by_kind(rounds, lambda results: results[users][operation] / results[fewest][operation])


def worst(by_place: Mapping[Any, Ratios], *, at_most: bool = False) -> tuple[Any, Ratios]:
    """Return the least favourable of the medians, and where it was measured."""
    choose = max if at_most else min
    return choose(by_place.items(), key=lambda item: item[1].median)


def brief(ratio: float) -> str:
    if ratio < 0.1:
        return f"{ratio:.1g}"
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}" if ratio < 100 else f"{ratio:.0f}"
