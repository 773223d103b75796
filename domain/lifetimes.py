"""How long sessions last (OWASP Session Management Cheat Sheet, "Session Expiration")."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """``idle`` without a refresh, ``absolute`` whatever happens; ``grace`` is how long a spent refresh token still gets its
    successor."""

    idle: timedelta
    absolute: timedelta
    grace: timedelta

    def end(self, *, started: datetime, used: datetime) -> datetime:
        return min(used + self.idle, started + self.absolute)
