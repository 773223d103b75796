"""Start a session."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, User
from domain import security_events
from domain.access_tokens.tokens import AccessToken, Authentication, Caller
from domain.devices import Device
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


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The answer to every sign-in and every refresh. The graph and ``/token`` only lay it out."""

    user: User
    caller: Caller
    access_token: AccessToken = field(repr=False)
    refresh_token: RefreshToken = field(repr=False)
    #: When the session expires, unless it is refreshed.
    expires_at: datetime
    #: The administrator who acts in place of the user, if one does.
    impersonator_id: UUID | None = None

    @classmethod
    def of(
        cls, services: Services, user: User, session: LoginSession, refresh_token: RefreshToken
    ) -> Self:
        caller = Caller(user.id, session.id)
        access_token = services.access_tokens.issue(
            caller,
            not_after=session.expires_at,
            authentication=Authentication(
                tuple(session.amr), at=int(session.proved_at.timestamp())
            ),
            roles=user.roles,
            actor_id=session.impersonator_id,
        )
        return cls(
            user, caller, access_token, refresh_token, session.expires_at, session.impersonator_id
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
    now, token = datetime.now(UTC), RefreshToken.new()
    started = new_session(
        device, user, token, method=method, amr=amr, lifetimes=services.session_lifetimes
    )
    session.add(started)
    surplus = await session.scalars(_TOO_MANY, {"user_id": user.id, NOW.key: now})
    if ids := surplus.all():
        await end_and_record(session, device, LoginSession.id.in_(ids))
    security_events.record(session, _EVENTS[method], device, user_id=user.id, session_id=started.id)
    return SignedIn.of(services, user, started, token)


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
