"""The result of a check."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from settings import Settings


class Level(StrEnum):
    OK = "ok"
    # May be intended; the operator should review it.
    WARNING = "warning"
    # Must be fixed before production.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found out about one item, usually a setting."""

    level: Level
    item: str
    message: str


# To add a check, write a function and add it to `CHECKS`. A check returns within seconds, raises
# nothing, and prints no secret.
Check = Callable[[Settings], Iterable[Finding]]


def ok(item: str, message: str) -> Finding:
    return Finding(Level.OK, item, message)


def warning(item: str, message: str) -> Finding:
    return Finding(Level.WARNING, item, message)


def problem(item: str, message: str) -> Finding:
    return Finding(Level.PROBLEM, item, message)
