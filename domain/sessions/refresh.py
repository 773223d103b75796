"""Refresh a session."""

import functools
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Text, bindparam, cast, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from db.clock import DatabaseTime
from db.database import Database, retried
from db.models import LoginSession, User
from domain import security_events
from domain.devices import Device
from domain.errors import InvalidRefreshToken
from domain.security_events import EventKind
from domain.services import Services, SessionLifetimes
from domain.sessions.active import NOW, is_active
from domain.sessions.refresh_tokens import RefreshToken, new_salt
from domain.sessions.start import SignedIn

logger = logging.getLogger("gatehouse")

# Of one grace period. A client that refreshes more often holds tokens that it has not used.
MAX_RECENT_ROTATIONS = 20


async def refresh(services: Services, device: Device, refresh_token: str) -> SignedIn:
    """Exchange a refresh token for its successor. Raises InvalidRefreshToken or TooManyAttempts.

    A used token returns the newest token again until its successor has been used for longer than
    the grace period (two tabs, a lost answer). A token that is used again later may be stolen, and
    its session ends (RFC 9700 section 4.14.2).
    """
    token = RefreshToken.parse(refresh_token)
    if token is None:
        raise InvalidRefreshToken
    await services.rate_limiter.hit(services.rate_limiter.limits.refresh, device.network)
    while True:
        # Made-up tokens must not occupy SQLite's single writer, so this only reads.
        async with services.database.connecting() as connection:
            found = await _find(connection, token)
        if found is None:
            raise InvalidRefreshToken
        newest, kind = _exchange(found, token, services.session_lifetimes)
        if await _save(services.database, device, found, kind):
            break
        # A concurrent refresh was first, so this one finds its token used.
    if newest is None:
        logger.warning(
            "Session %s of user %s has ended: a refresh token was used again.",
            found.session.id,
            found.user.id,
        )
        raise InvalidRefreshToken
    return SignedIn(services, found.user, found.session, newest)


@dataclass(frozen=True, slots=True)
class _Found:
    """A session and its user, which no session of the ORM holds, as they were at a time of the
    database: the clocks of two machines may differ by more than the grace period."""

    session: LoginSession
    user: User
    refresh_hash: str
    #: As the database has them.
    rotations: str
    now: datetime


# What a refresh reads. The ORM would take as long for it as the rest of a refresh takes.
_OF_SESSION = (
    LoginSession.id,
    LoginSession.user_id,
    LoginSession.method,
    LoginSession.created_at,
    LoginSession.last_used_at,
    LoginSession.expires_at,
    LoginSession.proved_at,
    LoginSession.amr,
    LoginSession.impersonator_id,
    LoginSession.refresh_hash,
)
_OF_USER = (
    User.id,
    User.username,
    User.email,
    User.email_verified_at,
    User.password_hash,
    User.locale,
    User.image_file,
    User.picture_id,
    User.created_at,
    User.role_names,
)
# JSON as text, which PostgreSQL can compare.
_ROTATIONS = cast(LoginSession.rotations, Text)

_FIND = (
    select(*_OF_SESSION, *_OF_USER, _ROTATIONS, DatabaseTime())
    .join(User, User.id == LoginSession.user_id)
    .where(LoginSession.family_hash == bindparam("family_hash"), is_active(NOW))
)


async def _find(connection: AsyncConnection, token: RefreshToken) -> _Found | None:
    """Return the active session that a token was issued for, used or not, or None."""
    values = {"family_hash": token.family_hash, NOW.key: datetime.now(UTC)}
    row = (await connection.execute(_FIND, values)).one_or_none()
    if row is None:
        return None
    *columns, rotations, now = row
    of_session, of_user = columns[: len(_OF_SESSION)], columns[len(_OF_SESSION) :]
    session = LoginSession(rotations=json.loads(rotations), **_named(_OF_SESSION, of_session))
    user = User(**_named(_OF_USER, of_user))
    return _Found(session, user, session.refresh_hash, rotations, now)


def _named(
    attributes: Iterable[InstrumentedAttribute[Any]], values: Iterable[Any]
) -> dict[str, Any]:
    return {attribute.key: value for attribute, value in zip(attributes, values, strict=True)}


def _exchange(
    found: _Found, token: RefreshToken, lifetimes: SessionLifetimes
) -> tuple[RefreshToken | None, EventKind | None]:
    """Return the newest token, or None if the session ends, and the event, if there is one. Change
    the session without saving it."""
    current = found.session
    if token.hash == current.refresh_hash:
        return rotate(current, token, lifetimes, found.now), EventKind.REFRESHED
    if repeated := _repeat(current, token, lifetimes.grace, found.now):
        return repeated, None
    current.ended_at = current.expires_at = found.now
    return None, EventKind.TOKEN_REUSED


_CHANGED = ("refresh_hash", "rotations", "last_used_at", "expires_at", "ended_at")

# It changes the session that was found or, if that has changed meanwhile, nothing.
_SAVE = (
    update(LoginSession)
    .where(
        LoginSession.id == bindparam("session_id"),
        LoginSession.refresh_hash == bindparam("found_hash"),
        bindparam("found_rotations", type_=Text()) == _ROTATIONS,
        is_active(NOW),
    )
    .values({name: bindparam(name) for name in _CHANGED})
    .returning(LoginSession.id)
)


@retried
async def _save(database: Database, device: Device, found: _Found, kind: EventKind | None) -> bool:
    """Save a session that has changed, and record why. Return False if another transaction has
    changed it since it was found."""
    current = found.session
    if kind is None and current.rotations == json.loads(found.rotations):
        return True
    values = {
        "session_id": current.id,
        "found_hash": found.refresh_hash,
        "found_rotations": found.rotations,
        NOW.key: datetime.now(UTC),
        **{name: getattr(current, name) for name in _CHANGED},
    }
    async with database.writing() as session:
        # Without the ORM, which would take longer than the statement.
        connection = await session.connection()
        is_saved = (await connection.execute(_SAVE, values)).one_or_none() is not None
        if is_saved and kind:
            await security_events.insert_in(session, kind, device, current)
    return is_saved


def rotate(
    current: LoginSession, token: RefreshToken, lifetimes: SessionLifetimes, now: datetime
) -> RefreshToken:
    """Return the successor of a session's newest token, which becomes the newest."""
    salt = new_salt()
    kept = _kept(current, now - lifetimes.grace)
    rotation: dict[str, Any] = {"at": now.timestamp(), "salt": salt}
    if kept and "repeated" in kept[-1]:
        rotation["strict"] = True
    current.rotations = [*kept, rotation][-MAX_RECENT_ROTATIONS:]
    current.last_used_at = now
    if current.impersonator_id is None:
        current.expires_at = lifetimes.expiry(started=current.created_at, used=now)
    successor = token.successor(salt)
    current.refresh_hash = successor.hash
    return successor


def _repeat(
    current: LoginSession, token: RefreshToken, grace: timedelta, now: datetime
) -> RefreshToken | None:
    """Return the newest token after a used one that may still be repeated, or None.

    The session may have rotated several times since, so each of the kept rotations is tried as this
    token's own.

    A repetition after the grace period is either a lost answer or a thief, who now has the newest
    token too. So the next token is not repeated after the grace period: if two clients have it, the
    second one to use it ends the session.
    """
    kept = _kept(current, now - grace)
    for first, rotation in enumerate(kept):
        salts = [each["salt"] for each in kept[first:]]
        newest = functools.reduce(RefreshToken.successor, salts, token)
        if newest.hash == current.refresh_hash:
            if _is_recent(rotation, now - grace):
                return newest
            if "strict" in rotation or not grace:
                return None
            current.rotations = [*kept[:-1], {**kept[-1], "repeated": True}]
            return newest
    return None


def _kept(current: LoginSession, since: datetime) -> list[dict[str, Any]]:
    """Return the rotations since then, and the one before them: the successor that it made has been
    used since then, or not at all."""
    recent = [rotation for rotation in current.rotations if _is_recent(rotation, since)]
    return current.rotations[-len(recent) - 1 :]


def _is_recent(rotation: dict[str, Any], since: datetime) -> bool:
    at: float = rotation["at"]
    return at > since.timestamp()
