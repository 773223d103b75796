"""What a check says of one item."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from settings import Settings


class Level(StrEnum):
    OK = "ok"
    # May be meant, and should be looked at.
    WARNING = "warning"
    # Nobody should be served like this.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    item: str
    says: str


# To add one is to write a function and to name it in `CHECKS`. It never raises, never says a secret, and is done in
# seconds.
Check = Callable[[Settings], Iterable[Finding]]


def ok(item: str, says: str) -> Finding:
    return Finding(Level.OK, item, says)


def warning(item: str, says: str) -> Finding:
    return Finding(Level.WARNING, item, says)


def problem(item: str, says: str) -> Finding:
    return Finding(Level.PROBLEM, item, says)
