"""What Gatehouse is to reach, and whether it does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import targets
from benchmarks.ratios import (
    KINDS,
    US,
    ByKind,
    Ratios,
    Round,
    against,
    by_kind,
    of_argon2,
    slower_in_storm,
)

NAIVE = targets.NAIVE.name

# How many times as many of `me` in a second.
TIMES_AS_MANY = {
    NAIVE: 12,
    targets.FASTAPI_USERS.name: 7,
    targets.ARIADNE.name: 9,
    targets.YOGA.name: 1.5,
    targets.MERCURIUS.name: 0.8,
}


@dataclass(frozen=True)
class Bar:
    """``at_most`` says that less is better."""

    what: str
    bar: float
    measured: ByKind
    unit: str = "x"
    at_most: bool = False

    def __str__(self) -> str:
        height = f"{self.bar:g}{self.unit} or {'less' if self.at_most else 'more'}"
        cells = [str(self.measured.get(kind, "")) for kind in KINDS]
        return " | ".join([self.what, height, *cells, "yes" if self.is_met else "**no**"])

    @property
    def is_met(self) -> bool:
        medians = [ratios.median for ratios in self.measured.values()]
        return max(medians) <= self.bar if self.at_most else min(medians) >= self.bar


def bars(results: Mapping[str, Sequence[Round]]) -> list[Bar]:
    """Of what has been measured."""
    return [bar for part, of in _BARS.items() if part in results for bar in of(results[part])]


def _me(rounds: Sequence[Round]) -> Iterator[Bar]:
    for peer, bar in TIMES_AS_MANY.items():
        yield Bar(f"`me` a second, against {peer}", bar, against(rounds, peer))
    sqlite, postgresql = KINDS
    itself = Ratios.of(one[sqlite][US]["rate"] / one[postgresql][US]["rate"] for one in rounds)
    yield Bar("`me` a second on SQLite, against that on PostgreSQL", 1, {sqlite: itself})


def _page(rounds: Sequence[Round]) -> Iterator[Bar]:
    what = "pages of 20 posts with authors a second, against the naive stack with a loader"
    yield Bar(what, 4, against(rounds, NAIVE))


def _hashing(rounds: Sequence[Round]) -> Iterator[Bar]:
    logins = of_argon2(rounds, "1", "login")
    yield Bar("logins a second, against Argon2 alone", 0.9, logins)


def _storm(rounds: Sequence[Round]) -> Iterator[Bar]:
    slower = slower_in_storm(rounds, US)
    yield Bar("p99 of `me` in a storm of logins, against that before", 5, slower, at_most=True)
    memory = by_kind(rounds, lambda of: of[US]["memory"])
    yield Bar("memory at its peak in the storm", 200, memory, " MiB", at_most=True)


def _startup(rounds: Sequence[Round]) -> Iterator[Bar]:
    seconds = by_kind(rounds, lambda of: of[US])
    yield Bar("from the start to the first answer", 1, seconds, " s", at_most=True)


_BARS: dict[str, Callable[[Sequence[Round]], Iterator[Bar]]] = {
    "me": _me,
    "page": _page,
    "hashing": _hashing,
    "storm": _storm,
    "startup": _startup,
}
