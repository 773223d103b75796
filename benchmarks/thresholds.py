"""The performance that Gatehouse must reach, and whether it does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import targets
from benchmarks.ratios import (
    GATEHOUSE,
    KINDS,
    ByKind,
    Ratios,
    Round,
    by_kind,
    relative_to,
    relative_to_argon2,
    storm_slowdown,
)

NAIVE = targets.NAIVE.name

# For each peer, the multiple of its requests a second for `me` that Gatehouse must reach.
ME_MULTIPLES = {
    NAIVE: 12,
    targets.FASTAPI_USERS.name: 7,
    targets.ARIADNE.name: 9,
    targets.YOGA.name: 1.5,
    targets.MERCURIUS.name: 0.8,
}


@dataclass(frozen=True)
class Threshold:
    """The least value allowed, or with ``at_most`` the greatest. It holds for the medians."""

    name: str
    value: float
    measured: ByKind
    unit: str = "x"
    at_most: bool = False

    def __str__(self) -> str:
        """Return a row of the table in RESULTS.md."""
        value = f"{self.value:g}{self.unit} or {'less' if self.at_most else 'more'}"
        cells = [str(self.measured.get(kind, "")) for kind in KINDS]
        return " | ".join([self.name, value, *cells, "yes" if self.is_met else "**no**"])

    @property
    def is_met(self) -> bool:
        medians = [ratios.median for ratios in self.measured.values()]
        return max(medians) <= self.value if self.at_most else min(medians) >= self.value


def thresholds(results: Mapping[str, Sequence[Round]]) -> list[Threshold]:
    """Return the thresholds of the parts that have been measured."""
    return [
        threshold
        for part, thresholds_of in _THRESHOLDS.items()
        if part in results
        for threshold in thresholds_of(results[part])
    ]


def _me(rounds: Sequence[Round]) -> Iterator[Threshold]:
    for peer, multiple in ME_MULTIPLES.items():
        name = f"`me` requests a second, relative to {peer}"
        yield Threshold(name, multiple, relative_to(rounds, peer))
    sqlite, postgresql = KINDS
    ratios = Ratios.of(
        each[sqlite][GATEHOUSE]["rate"] / each[postgresql][GATEHOUSE]["rate"] for each in rounds
    )
    yield Threshold("`me` requests a second on SQLite, relative to PostgreSQL", 1, {sqlite: ratios})


def _page(rounds: Sequence[Round]) -> Iterator[Threshold]:
    name = "pages of 20 posts with authors a second, relative to the naive stack with a loader"
    yield Threshold(name, 4, relative_to(rounds, NAIVE))


def _hashing(rounds: Sequence[Round]) -> Iterator[Threshold]:
    logins = relative_to_argon2(rounds, "1", "login")
    yield Threshold("logins a second, relative to Argon2 alone", 0.9, logins)


def _storm(rounds: Sequence[Round]) -> Iterator[Threshold]:
    slowdown = storm_slowdown(rounds, GATEHOUSE)
    yield Threshold("p99 of `me` in a login storm, relative to before", 5, slowdown, at_most=True)
    memory = by_kind(rounds, lambda results: results[GATEHOUSE]["memory"])
    yield Threshold("peak memory in the login storm", 200, memory, " MiB", at_most=True)


def _startup(rounds: Sequence[Round]) -> Iterator[Threshold]:
    seconds = by_kind(rounds, lambda results: results[GATEHOUSE])
    yield Threshold("time from start to first response", 1, seconds, " s", at_most=True)


_THRESHOLDS: dict[str, Callable[[Sequence[Round]], Iterator[Threshold]]] = {
    "me": _me,
    "page": _page,
    "hashing": _hashing,
    "storm": _storm,
    "startup": _startup,
}
