"""What it takes to let someone in: made once, and handed to the functions of the domain that hash or that count attempts.

They open short transactions of their own. Argon2 takes tens of milliseconds, and a queue may stand before it, while no
connection and no lock of SQLite may be held; and what a refusal leaves behind must be committed although it raises.
The others take a session.
"""

from dataclasses import dataclass

from db.engine import Database
from domain.lifetimes import Lifetimes
from domain.observer import SILENT, Observer
from domain.passwords import Passwords
from domain.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Gate:
    database: Database
    passwords: Passwords
    throttle: Throttle
    lifetimes: Lifetimes
    observer: Observer = SILENT
