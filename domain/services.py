"""What it takes to let someone in: made once, and handed to the functions of the domain that hash or that count attempts.

They open short transactions of their own. Argon2 takes tens of milliseconds, and a queue may stand before it, while no
connection and no lock of SQLite may be held; and what a refusal leaves behind must be committed although it raises.
The others take a session.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from db.database import Database
from domain.observer import SILENT, Observer
from domain.passwords.hashing import Passwords
from domain.rate_limits import Throttle


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """``idle`` without a refresh, ``absolute`` whatever happens; ``grace`` is how long a spent refresh token still gets its
    successor."""

    idle: timedelta
    absolute: timedelta
    grace: timedelta

    def end(self, *, started: datetime, used: datetime) -> datetime:
        return min(used + self.idle, started + self.absolute)


@dataclass(frozen=True, slots=True)
class Gate:
    database: Database
    passwords: Passwords
    throttle: Throttle
    lifetimes: Lifetimes
    observer: Observer = SILENT
