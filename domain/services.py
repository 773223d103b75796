"""The services that commands of the domain are given.

A command takes ``services, device, caller`` in this order and opens its own transactions: no
connection and no lock of SQLite may be held while Argon2 runs or a request queues for it, and what
a refused attempt leaves behind must be committed although the command raises. A query takes a
database session and nothing else.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from db.database import Database
from domain.access_tokens.tokens import AccessTokens
from domain.data_keys import DataKeys
from domain.errors import MailNotConfigured
from domain.mail.mailer import Mailer
from domain.observer import SILENT, Observer
from domain.passwords.hashing import HashingQueue
from domain.rate_limits import RateLimiter


@dataclass(frozen=True, slots=True)
class SessionLifetimes:
    """The lifetimes of sessions (OWASP Session Management Cheat Sheet, "Session Expiration").

    A session expires after ``idle`` without a refresh, and after ``absolute`` in any case. A used
    refresh token returns its successor again for ``grace``.
    """

    idle: timedelta
    absolute: timedelta
    grace: timedelta

    def expiry(self, *, started: datetime, used: datetime) -> datetime:
        return min(used + self.idle, started + self.absolute)


@dataclass(frozen=True, slots=True)
class Services:
    """The services of a process, made once by its edge."""

    database: Database
    hashing_queue: HashingQueue
    rate_limiter: RateLimiter
    access_tokens: AccessTokens
    session_lifetimes: SessionLifetimes
    posts_per_user: int
    data_keys: DataKeys | None = None
    #: None if mail is neither sent nor shown.
    mailer: Mailer | None = None
    #: Whether accounts are created only after their email is proven.
    requires_verified_email: bool = False
    observer: Observer = SILENT

    def require_mailer(self) -> Mailer:
        """Return the mailer. Raises MailNotConfigured."""
        if self.mailer is None:
            raise MailNotConfigured
        return self.mailer

    async def close(self) -> None:
        self.hashing_queue.close()
        await self.rate_limiter.close()
        await self.database.close()
