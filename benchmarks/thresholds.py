"""The performance that Gatehouse must reach, and whether it does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks import targets
from benchmarks.placements import OTHER_CORE, SQLITE
from benchmarks.ratios import (
    AT_THRESHOLD,
    CONNECTIONS,
    GATEHOUSE,
    Ratios,
    Round,
    brief,
    by_kind,
    relative_to,
    relative_to_argon2,
    relative_to_fewest_users,
    storm_slowdown,
    worst,
)

NAIVE = targets.NAIVE.name

# For each peer, the multiple of its requests a second for `me` that Gatehouse must reach.
ME_MULTIPLES = {
    targets.MERCURIUS.name: 1,
    targets.YOGA.name: 2.4,
    targets.FASTAPI_USERS.name: 8,
    targets.ARIADNE.name: 11,
    NAIVE: 15,
}


@dataclass(frozen=True)
class Threshold:
    """The least value allowed, or with ``at_most`` the greatest.

    It holds for the median of ``measured``. ``elsewhere`` is for information.
    """

    name: str
    value: float
    measured: Ratios
    elsewhere: Mapping[Any, Ratios] = field(default_factory=dict)
    unit: str = "x"
    at_most: bool = False

    @property
    def cells(self) -> list[str]:
        """The row of the table in RESULTS.md."""
        value = f"{self.value:g}{self.unit} or {'less' if self.at_most else 'more'}"
        met = "yes" if self.is_met else "**no**"
        return [self.name, value, str(self.measured), self._worst_elsewhere, met]

    @property
    def is_met(self) -> bool:
        return self.margin >= 1

    @property
    def margin(self) -> float:
        """How many times better than the threshold it is."""
        median = self.measured.median
        return self.value / median if self.at_most else median / self.value

    @property
    def _worst_elsewhere(self) -> str:
        if not self.elsewhere:
            return ""
        place, ratios = worst(self.elsewhere, at_most=self.at_most)
        return f"{brief(ratios.median)}: {place}"


def thresholds(results: Mapping[str, Sequence[Round]]) -> list[Threshold]:
    """Return the thresholds of the parts that have been measured, the least favourable first."""
    found = [
        threshold
        for part, thresholds_of in _THRESHOLDS.items()
        if part in results
        for threshold in thresholds_of(results[part])
    ]
    return sorted(found, key=lambda threshold: threshold.margin)


def _of(
    name: str,
    value: float,
    measured: Mapping[Any, Ratios],
    at: object = OTHER_CORE,
    unit: str = "x",
    at_most: bool = False,
) -> Threshold:
    elsewhere = {place: ratios for place, ratios in measured.items() if place != at}
    return Threshold(name, value, measured[at], elsewhere, unit, at_most)


def _me(rounds: Sequence[Round]) -> Iterator[Threshold]:
    for peer, multiple in ME_MULTIPLES.items():
        name = f"`me` requests a second, relative to {peer}"
        yield _of(name, multiple, relative_to(rounds, peer), AT_THRESHOLD)
    sqlite = Ratios.of(
        each[SQLITE][GATEHOUSE][CONNECTIONS]["rate"]
        / each[OTHER_CORE][GATEHOUSE][CONNECTIONS]["rate"]
        for each in rounds
    )
    yield Threshold("`me` requests a second on SQLite, relative to PostgreSQL", 1, sqlite)
    memory = by_kind(rounds, lambda results: results[GATEHOUSE]["memory"])
    yield _of("memory of a worker after `me`", 120, memory, unit=" MiB", at_most=True)


def _page(rounds: Sequence[Round]) -> Iterator[Threshold]:
    name = "pages of 20 posts with authors a second, relative to the naive stack with a loader"
    yield _of(name, 8, relative_to(rounds, NAIVE), AT_THRESHOLD)


def _endpoints(rounds: Sequence[Round]) -> Iterator[Threshold]:
    refreshes = by_kind(
        rounds,
        lambda results: results[GATEHOUSE]["refresh"]["rate"] / results[GATEHOUSE]["me"]["rate"],
    )
    yield _of("`refresh` requests a second, relative to `me`", 0.25, refreshes)


def _hashing(rounds: Sequence[Round]) -> Iterator[Threshold]:
    for cores, name, value in (("1", "one core", 0.9), ("2", "two cores", 0.85)):
        for operation in ("login", "register"):
            ratios = relative_to_argon2(rounds, cores, operation)
            at = next(kind for kind in ratios if kind != SQLITE)
            title = f"`{operation}` requests a second on {name}, relative to Argon2 alone"
            yield _of(title, value, ratios, at)


def _storm(rounds: Sequence[Round]) -> Iterator[Threshold]:
    slowdown = storm_slowdown(rounds, GATEHOUSE)
    yield _of("p99 of `me` in a login storm, relative to before", 2.5, slowdown, at_most=True)
    memory = by_kind(rounds, lambda results: results[GATEHOUSE]["memory"])
    yield _of("peak memory in the login storm", 180, memory, unit=" MiB", at_most=True)


def _startup(rounds: Sequence[Round]) -> Iterator[Threshold]:
    seconds = by_kind(rounds, lambda results: results[GATEHOUSE])
    yield _of("time from start to first response", 0.8, seconds, unit=" s", at_most=True)


def _growth(rounds: Sequence[Round]) -> Iterator[Threshold]:
    sizes = rounds[0][OTHER_CORE]
    most = list(sizes)[-1]
    times = {
        operation: relative_to_fewest_users(rounds, most, operation) for operation in sizes[most]
    }
    slowest = max(times, key=lambda operation: times[operation][OTHER_CORE].median)
    name = f"time of `{slowest}`, the slowest to grow, with {int(most):,} users, relative to the fewest"
    yield _of(name, 1.5, times[slowest], at_most=True)


_THRESHOLDS: dict[str, Callable[[Sequence[Round]], Iterator[Threshold]]] = {
    "me": _me,
    "page": _page,
    "endpoints": _endpoints,
    "hashing": _hashing,
    "storm": _storm,
    "startup": _startup,
    "growth": _growth,
}
