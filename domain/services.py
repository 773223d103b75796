"""The services that commands of the domain are given.

A command takes ``services, device, caller`` in this order and opens its own transactions: no
connection and no lock of SQLite may be held while Argon2 runs or a request queues for it, and what
a refused attempt leaves behind must be committed although the command raises. A query takes a
database session and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from db.database import Database
from domain.access_tokens.tokens import AccessTokens, Authentication
from domain.data_keys import DataKeys
from domain.email_domains import EmailDomains
from domain.errors import MailNotConfigured, NotConfigured, SecondFactorSetupRequired
from domain.hooks import Hooks
from domain.mail.mailer import Mailer
from domain.observer import SILENT, Observer
from domain.passwords.hashing import HashingQueue
from domain.pictures import Pictures, PictureSize
from domain.providers.provider import Provider
from domain.rate_limits import RateLimiter
from domain.redirects import RedirectAllowlist

if TYPE_CHECKING:
    from domain.captcha import CaptchaVerifier
    from domain.passwords.breaches import BreachedPasswords


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
class RelyingParty:
    """The domain that passkeys belong to, and the origins of the pages that may use them (WebAuthn
    Level 3, section 4)."""

    id: str
    origins: tuple[str, ...]


class RegistrationMode(StrEnum):
    """Say who can create an account."""

    OPEN = "open"
    #: Who is invited by mail.
    INVITE = "invite"
    CLOSED = "closed"


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
    registration: RegistrationMode = RegistrationMode.OPEN
    email_domains: EmailDomains = EmailDomains()  # noqa: RUF009  # it is immutable
    #: The name of this server in authenticator apps and in the dialogs of passkeys.
    service_name: str = "Gatehouse"
    #: How long a proof of who someone is allows sensitive changes in its session.
    proof_lifetime: timedelta = timedelta(minutes=10)
    #: Whether an account without a second factor can only set one up.
    requires_second_factor: bool = False
    #: Whether only a session with two factors can use a role.
    requires_second_factor_of_staff: bool = False
    #: None if no domain can have passkeys.
    relying_party: RelyingParty | None = None
    #: The identity providers by their names, in the order of their buttons.
    providers: Mapping[str, Provider] = field(default_factory=dict)
    #: Where a sign-in with a provider may return to.
    redirects: RedirectAllowlist = RedirectAllowlist(())  # noqa: RUF009  # it is immutable
    #: The code of the operator that is called.
    hooks: Hooks = field(default_factory=Hooks)
    #: None if new passwords are not looked up in known breaches.
    breached_passwords: "BreachedPasswords | None" = None
    #: None if users cannot upload pictures.
    pictures: Pictures | None = None
    #: Whether users can name a picture by its address on any server.
    allows_image_urls: bool = True
    #: None if no captcha is required.
    captcha: "CaptchaVerifier | None" = None
    observer: Observer = SILENT

    def require_second_factor(self, authentication: Authentication) -> None:
        """Raise SecondFactorSetupRequired if this server requires a second factor, and the session
        was started without one."""
        if self.requires_second_factor and not authentication.has_second_factor:
            raise SecondFactorSetupRequired

    def require_data_keys(self) -> DataKeys:
        """Return the data keys. Raises NotConfigured."""
        if self.data_keys is None:
            raise NotConfigured("This server has no DATA_KEY, which this needs.")
        return self.data_keys

    def require_relying_party(self) -> RelyingParty:
        """Return the relying party of passkeys. Raises NotConfigured."""
        if self.relying_party is None:
            raise NotConfigured("This server has no PASSKEY_RP_ID, so it has no passkeys.")
        return self.relying_party

    def require_mailer(self) -> Mailer:
        """Return the mailer. Raises MailNotConfigured."""
        if self.mailer is None:
            raise MailNotConfigured
        return self.mailer

    def require_pictures(self) -> Pictures:
        """Return what keeps pictures. Raises NotConfigured."""
        if self.pictures is None:
            raise NotConfigured("This server keeps no pictures: PICTURES is off.")
        return self.pictures

    def picture_url(
        self, picture_id: str | None, size: PictureSize = PictureSize.MEDIUM
    ) -> str | None:
        """Return the address of a picture, or None if there is none."""
        if picture_id is None or self.pictures is None:
            return None
        return self.pictures.url_of(picture_id, size)

    async def close(self) -> None:
        self.hashing_queue.close()
        if self.pictures is not None:
            self.pictures.close()
        for provider in self.providers.values():
            await provider.close()
        if self.breached_passwords is not None:
            await self.breached_passwords.close()
        if self.captcha is not None:
            await self.captcha.close()
        await self.rate_limiter.close()
        await self.database.close()
