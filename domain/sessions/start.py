"""Start a session."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property, partial
from typing import Any

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, User
from domain import events, hooks, security_events
from domain.access_tokens.tokens import MAX_LENGTH, AccessToken, Authentication, Caller
from domain.devices import Device
from domain.events import EventType
from domain.hooks.calls import HookFailed
from domain.ids import new_id
from domain.security_events import EventKind
from domain.services import Services, SessionLifetimes
from domain.sessions.active import MAX_SESSIONS, NOW, is_active
from domain.sessions.end import end_and_record
from domain.sessions.refresh_tokens import RefreshToken


class LoginMethod(StrEnum):
    """How a session was started."""

    REGISTRATION = "REGISTRATION"
    LOGIN = "LOGIN"
    PASSWORD_GRANT = "PASSWORD_GRANT"
    PASSWORD_CHANGE = "PASSWORD_CHANGE"
    EMAIL_CODE = "EMAIL_CODE"
    PASSKEY = "PASSKEY"
    PROVIDER = "PROVIDER"
    IMPERSONATION = "IMPERSONATION"


# The security event that each method records.
_EVENTS = {
    LoginMethod.REGISTRATION: EventKind.REGISTERED,
    LoginMethod.LOGIN: EventKind.LOGGED_IN,
    LoginMethod.PASSWORD_GRANT: EventKind.LOGGED_IN,
    LoginMethod.PASSWORD_CHANGE: EventKind.PASSWORD_CHANGED,
    LoginMethod.EMAIL_CODE: EventKind.LOGGED_IN,
    LoginMethod.PASSKEY: EventKind.LOGGED_IN,
    LoginMethod.PROVIDER: EventKind.LOGGED_IN,
}


_TOO_MANY = (
    select(LoginSession.id)
    .where(
        LoginSession.user_id == bindparam("user_id"),
        LoginSession.impersonator_id.is_(None),
        is_active(NOW),
    )
    .order_by(LoginSession.last_used_at.desc(), LoginSession.id.desc())
    .offset(MAX_SESSIONS)
)

# Inserts a session without the ORM, which takes several times as long, and returns how many active
# ones the user has, whether with the new one or without it.
_SESSIONS: Any = LoginSession.__table__
_OTHERS = _SESSIONS.alias()
_INSERT = insert(_SESSIONS).returning(
    select(func.count())
    .where(
        _OTHERS.c.user_id == bindparam("owner", type_=_SESSIONS.c.user_id.type),
        _OTHERS.c.impersonator_id.is_(None),
        _OTHERS.c.ended_at.is_(None),
        _OTHERS.c.expires_at > NOW,
    )
    .scalar_subquery()
)


@dataclass(frozen=True)
class SignedIn:
    """The answer to every sign-in and every refresh. The graph and ``/token`` only lay it out."""

    services: Services = field(repr=False)
    user: User
    session: LoginSession
    refresh_token: RefreshToken = field(repr=False)

    @property
    def caller(self) -> Caller:
        return Caller(self.user.id, self.session.id)

    @property
    def expires_at(self) -> datetime:
        """When the session expires, unless it is refreshed."""
        return self.session.expires_at

    @cached_property
    def access_token(self) -> AccessToken:
        """Issued when it is first read, after the transaction: no other writer waits for the
        signature, nor for the hook that adds claims."""
        session, hooks = self.session, self.services.hooks
        issue = partial(
            self.services.access_tokens.issue,
            self.caller,
            not_after=session.expires_at,
            authentication=Authentication(
                tuple(session.amr), at=int(session.proved_at.timestamp())
            ),
            roles=self.user.roles,
            actor_id=session.impersonator_id,
        )
        token = issue(added=hooks.claims(*self._of_hooks()))
        if len(token.value) <= MAX_LENGTH:
            return token
        hooks.report(
            "claims", HookFailed(f"the token would have more than {MAX_LENGTH} characters")
        )
        return issue()

    def _of_hooks(self) -> tuple[hooks.Account, hooks.Session]:
        user, session = self.user, self.session
        return (
            hooks.Account(
                user.id,
                user.username,
                user.email,
                email_verified=user.email_verified_at is not None,
                created_at=user.created_at,
            ),
            hooks.Session(session.id, session.method, tuple(session.amr), session.created_at),
        )


async def start(
    session: AsyncSession,
    services: Services,
    device: Device,
    user: User,
    *,
    method: LoginMethod,
    amr: Collection[str],
) -> SignedIn:
    """Start a session and record it as a security event. The user's row must be locked by this
    transaction, or new. ``amr`` is how they have just proved who they are (RFC 8176).

    Beyond ``MAX_SESSIONS`` the session that was unused for the longest time ends.
    """
    token = RefreshToken.new()
    started = new_session(
        device, user, token, method=method, amr=amr, lifetimes=services.session_lifetimes
    )
    if await _insert(session, started) >= MAX_SESSIONS:
        await _end_surplus(session, device, user)
    await security_events.insert_in(session, _EVENTS[method], device, started)
    events.publish(session, EventType.SESSION_STARTED, user_id=user.id, session_id=started.id)
    return SignedIn(services, user, started, token)


async def _insert(session: AsyncSession, started: LoginSession) -> int:
    """Insert a session, and return how many active ones its user has."""
    columns = {column.key: getattr(started, column.key) for column in _SESSIONS.c}
    values = {**columns, "owner": started.user_id, NOW.key: started.created_at}
    connection = await session.connection()
    number: int = (await connection.execute(_INSERT, values)).scalar_one()
    return number


async def _end_surplus(session: AsyncSession, device: Device, user: User) -> None:
    surplus = await session.scalars(_TOO_MANY, {"user_id": user.id, NOW.key: datetime.now(UTC)})
    if ids := surplus.all():
        await end_and_record(session, device, LoginSession.id.in_(ids))


def new_session(
    device: Device,
    user: User,
    token: RefreshToken,
    *,
    method: LoginMethod,
    amr: Collection[str],
    lifetimes: SessionLifetimes,
) -> LoginSession:
    """Return a session that starts now with its first refresh token, after a proof."""
    now = datetime.now(UTC)
    return LoginSession(
        id=new_id(),
        user_id=user.id,
        method=method,
        device=device.name,
        ip=device.ip,
        network=device.network,
        created_at=now,
        last_used_at=now,
        expires_at=lifetimes.expiry(started=now, used=now),
        family_hash=token.family_hash,
        refresh_hash=token.hash,
        rotations=[],
        proved_at=now,
        amr=list(amr),
    )
