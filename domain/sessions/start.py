"""How sessions start."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, User
from domain import security_events
from domain.access_tokens.tokens import Caller
from domain.devices import Client
from domain.ids import new_id
from domain.security_events import EventKind
from domain.services import Lifetimes
from domain.sessions.active import MAX_SESSIONS, NOW, is_ongoing
from domain.sessions.end import end_on_record
from domain.sessions.refresh_tokens import RefreshToken


class SessionOrigin(StrEnum):
    """How a session was started."""

    REGISTRATION = "REGISTRATION"
    LOGIN = "LOGIN"
    PASSWORD_GRANT = "PASSWORD_GRANT"
    PASSWORD_CHANGE = "PASSWORD_CHANGE"


# What goes on record when a session is started so.
_EVENTS = {
    SessionOrigin.REGISTRATION: EventKind.REGISTERED,
    SessionOrigin.LOGIN: EventKind.LOGGED_IN,
    SessionOrigin.PASSWORD_GRANT: EventKind.LOGGED_IN,
    SessionOrigin.PASSWORD_CHANGE: EventKind.PASSWORD_CHANGED,
}


_TOO_MANY = (
    select(LoginSession.id)
    .where(LoginSession.user_id == bindparam("user_id"), is_ongoing(NOW))
    .order_by(LoginSession.last_used_at.desc(), LoginSession.id.desc())
    .offset(MAX_SESSIONS)
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Someone who may come in: who, in which session, and the refresh token that keeps it going."""

    user: User
    session: LoginSession
    refresh_token: RefreshToken = field(repr=False)

    @property
    def caller(self) -> Caller:
        return Caller(self.user.id, self.session.id)


async def start(
    session: AsyncSession,
    lifetimes: Lifetimes,
    user: User,
    *,
    client: Client,
    origin: SessionOrigin,
) -> SignedIn:
    """A new session of a user whose row is locked, or new; it goes on record by its origin. The one that makes more than
    ``MAX_SESSIONS`` displaces the one that was not used for longest."""
    now = datetime.now(UTC)
    token = RefreshToken.new()
    started = LoginSession(
        id=new_id(),
        user_id=user.id,
        origin=origin,
        client=client.name,
        ip=client.ip,
        network=client.network,
        created_at=now,
        last_used_at=now,
        expires_at=lifetimes.end(started=now, used=now),
        family_hash=token.family_hash,
        refresh_hash=token.hash,
        rotations=[],
    )
    session.add(started)
    displaced = await session.scalars(_TOO_MANY, {"user_id": user.id, NOW.key: now})
    if ids := displaced.all():
        await end_on_record(session, client, LoginSession.id.in_(ids))
    security_events.record(session, _EVENTS[origin], client, user_id=user.id, session_id=started.id)
    return SignedIn(user, started, token)
