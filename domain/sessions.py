"""Sessions: they start when someone proves who they are, go on by refresh tokens, and end once and for all (OWASP Session
Management Cheat Sheet).

Whoever starts or ends several sessions of a person locks that person's row first, so that two who do it at once wait for
one another. A refresh locks its one session.
"""

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models import LoginSession, User
from domain import security_events
from domain.clients import Client
from domain.errors import InvalidRefreshToken, NotFound, SessionEnded
from domain.gate import Gate, Lifetimes
from domain.ids import new_id
from domain.refresh_tokens import RefreshToken, new_salt
from domain.security_events import EventKind
from domain.tokens import Caller

logger = logging.getLogger("gatehouse")

# So that a list of them is short. Whoever starts more loses the one that was not used for longest.
MAX_SESSIONS = 100

# Within one grace. A client that refreshes more often than that holds tokens that it has not used.
MAX_RECENT_ROTATIONS = 20


class SessionOrigin(StrEnum):
    """How a session was started."""

    REGISTRATION = "REGISTRATION"
    LOGIN = "LOGIN"
    PASSWORD_GRANT = "PASSWORD_GRANT"
    PASSWORD_CHANGE = "PASSWORD_CHANGE"


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
    """For a user whose row is locked, or new."""
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
    await session.flush()
    too_many = await session.scalars(
        select(LoginSession.id)
        .where(LoginSession.user_id == user.id, LoginSession.ended_at.is_(None))
        .order_by(LoginSession.last_used_at.desc(), LoginSession.id.desc())
        .offset(MAX_SESSIONS)
    )
    if ids := too_many.all():
        await _end(session, LoginSession.id.in_(ids))
    return SignedIn(user, started, token)


async def user_of(
    session: AsyncSession,
    caller: Caller,
    *,
    lock: Literal["to keep", "to change", "to delete"] | None = None,
    with_secrets: bool = False,
) -> User:
    """The caller's row, in one statement with the verdict on their session. Raises SessionEnded when it has ended or
    expired, or the account is gone.

    Until the transaction ends, a user locked "to keep" cannot be deleted, and one locked "to change" is changed by
    nobody else.
    """
    statement = (
        select(User)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(User.id == caller.user_id, LoginSession.id == caller.session_id, _is_alive())
    )
    if lock == "to keep":
        statement = statement.with_for_update(of=User, read=True, key_share=True)
    elif lock:
        # First, and by itself: PostgreSQL would see the session as it was when it began to wait.
        row = select(User.id).where(User.id == caller.user_id)
        await session.execute(row.with_for_update(key_share=lock == "to change"))
    if with_secrets:
        statement = statement.options(undefer(User.password_hash), undefer(User.email_key))
    user = await session.scalar(statement)
    if user is None:
        raise SessionEnded
    return user


async def refresh(gate: Gate, client: Client, refresh_token: str) -> SignedIn:
    """Spend a refresh token for its successor. Raises InvalidRefreshToken, TooManyAttempts.

    A token that is used again within the grace (two tabs, a lost answer) gets the successor that it got before. Used
    again later, it is in two hands, and the session ends (RFC 9700 section 4.14.2).
    """
    await gate.throttle.admit(gate.throttle.ceilings.refresh, client.network)
    token = RefreshToken.parse(refresh_token)
    if token is None:
        raise InvalidRefreshToken
    # Raised behind the transaction: what it says of a token that was used again must be committed.
    async with gate.database.writing() as session:
        signed_in = await _refresh(session, gate.lifetimes, client, token)
    if signed_in is None:
        raise InvalidRefreshToken
    return signed_in


async def find(session: AsyncSession, token: RefreshToken) -> tuple[LoginSession, User] | None:
    """The session that a refresh token would keep going, and whose it is; nothing is spent."""
    found = await session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.family_hash == token.family_hash,
            LoginSession.refresh_hash == token.hash,
            _is_alive(),
        )
    )
    row = found.one_or_none()
    return None if row is None else (row[0], row[1])


async def ongoing(session: AsyncSession, user_id: UUID) -> list[LoginSession]:
    """The most recently used first."""
    found = await session.scalars(
        select(LoginSession)
        .where(LoginSession.user_id == user_id, _is_alive())
        .order_by(LoginSession.last_used_at.desc(), LoginSession.id.desc())
        .limit(MAX_SESSIONS)
    )
    return list(found)


async def log_out(session: AsyncSession, caller: Caller, client: Client) -> None:
    """End the caller's own session. Raises SessionEnded."""
    if not await _sign_out(session, client, LoginSession.id == caller.session_id):
        raise SessionEnded


async def end(session: AsyncSession, caller: Caller, client: Client, session_id: UUID) -> None:
    """End one of the caller's sessions. Raises SessionEnded; NotFound for what is no ongoing session of theirs."""
    await user_of(session, caller)
    if not await _sign_out(
        session, client, LoginSession.id == session_id, LoginSession.user_id == caller.user_id
    ):
        raise NotFound("There is no such session, or it has ended.")


async def end_all(
    session: AsyncSession, caller: Caller, client: Client, *, except_this: bool
) -> int:
    """End the caller's sessions, and say how many. Raises SessionEnded."""
    await user_of(session, caller, lock="to change")
    others = [LoginSession.id != caller.session_id] if except_this else []
    return await _sign_out(session, client, LoginSession.user_id == caller.user_id, *others)


async def end_quietly(session: AsyncSession, user: User) -> None:
    """End all the sessions of a user whose row is locked, as a part of something that is on record itself."""
    await _end(session, LoginSession.user_id == user.id, _is_alive())


async def revoke(session: AsyncSession, client: Client, token: RefreshToken | Caller) -> None:
    """End the session that a token belongs to, if there is one: by any of its refresh tokens, spent ones too."""
    if isinstance(token, RefreshToken):
        await _sign_out(session, client, LoginSession.family_hash == token.family_hash)
    else:
        await _sign_out(session, client, LoginSession.id == token.session_id)


async def _refresh(
    session: AsyncSession, lifetimes: Lifetimes, client: Client, token: RefreshToken
) -> SignedIn | None:
    found = await session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.family_hash == token.family_hash, _is_alive())
        .options(undefer(LoginSession.refresh_hash), undefer(LoginSession.rotations))
        .with_for_update(of=LoginSession)
    )
    row = found.one_or_none()
    if row is None:
        return None
    current, user = row
    if token.hash == current.refresh_hash:
        successor = _rotate(current, token, lifetimes)
        kind = EventKind.REFRESHED
    elif already := _successor(current, token, lifetimes.grace):
        return SignedIn(user, current, already)
    else:
        await _end(session, LoginSession.id == current.id)
        logger.warning(
            "session %s of user %s has ended: a spent refresh token was used again",
            current.id,
            user.id,
        )
        successor = None
        kind = EventKind.TOKEN_REUSED
    security_events.record(session, kind, client, user_id=user.id, session_id=current.id)
    return SignedIn(user, current, successor) if successor else None


def _rotate(current: LoginSession, token: RefreshToken, lifetimes: Lifetimes) -> RefreshToken:
    now = datetime.now(UTC)
    salt = new_salt()
    rotations = [*_recent(current, lifetimes.grace), {"at": now.timestamp(), "salt": salt}]
    current.rotations = rotations[-MAX_RECENT_ROTATIONS:]
    current.last_used_at = now
    current.expires_at = lifetimes.end(started=current.created_at, used=now)
    successor = token.successor(salt)
    current.refresh_hash = successor.hash
    return successor


def _recent(current: LoginSession, grace: timedelta) -> list[dict[str, Any]]:
    since = (datetime.now(UTC) - grace).timestamp()
    return [rotation for rotation in current.rotations if rotation["at"] > since]


def _successor(current: LoginSession, token: RefreshToken, grace: timedelta) -> RefreshToken | None:
    """The newest token after one that was spent within the grace. A client may have rotated on meanwhile: then each of
    the recent rotations may have been this token's."""
    salts = [rotation["salt"] for rotation in _recent(current, grace)]
    for first in range(len(salts)):
        newest = functools.reduce(RefreshToken.successor, salts[first:], token)
        if newest.hash == current.refresh_hash:
            return newest
    return None


async def _sign_out(session: AsyncSession, client: Client, *conditions: ColumnElement[bool]) -> int:
    ended = await _end(session, *conditions, _is_alive())
    for session_id, user_id in ended:
        security_events.record(
            session, EventKind.SIGNED_OUT, client, user_id=user_id, session_id=session_id
        )
    return len(ended)


async def _end(
    session: AsyncSession, *conditions: ColumnElement[bool]
) -> Sequence[Row[UUID, UUID]]:
    """The ids of the sessions that this has ended, and of their users."""
    now = datetime.now(UTC)
    ended = await session.execute(
        update(LoginSession)
        .where(*conditions)
        # Its end is what it is pruned by.
        .values(ended_at=now, expires_at=now)
        .returning(LoginSession.id, LoginSession.user_id)
        .execution_options(synchronize_session=False)
    )
    return ended.all()


def _is_alive() -> ColumnElement[bool]:
    return and_(LoginSession.ended_at.is_(None), LoginSession.expires_at > datetime.now(UTC))
