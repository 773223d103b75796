"""Refresh a session."""

import functools
import logging
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.clock import DatabaseTime
from db.database import retried
from db.models import LoginSession, User
from domain import security_events
from domain.devices import Device
from domain.errors import InvalidRefreshToken
from domain.security_events import EventKind
from domain.services import Services, SessionLifetimes
from domain.sessions.active import SIGN_IN, find_family, is_active
from domain.sessions.refresh_tokens import RefreshToken, new_salt
from domain.sessions.start import SignedIn

logger = logging.getLogger("gatehouse")

# Of one grace period. A client that refreshes more often holds tokens that it has not used.
MAX_RECENT_ROTATIONS = 20


@retried
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
    async with services.database.reading() as session:
        if await find_family(session, token) is None:
            raise InvalidRefreshToken
    # Raised after the transaction: the end of a session by reuse must be committed.
    async with services.database.writing() as session:
        signed_in = await _refresh(session, services, device, token)
    if signed_in is None:
        raise InvalidRefreshToken
    return signed_in


async def _refresh(
    session: AsyncSession, services: Services, device: Device, token: RefreshToken
) -> SignedIn | None:
    lifetimes = services.session_lifetimes
    found = await session.execute(
        # The clocks of two machines may differ by more than the grace period.
        select(LoginSession, User, DatabaseTime())
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.family_hash == token.family_hash, is_active())
        .options(
            undefer(LoginSession.refresh_hash),
            undefer(LoginSession.rotations),
            undefer(User.password_hash),
            *SIGN_IN,
        )
        .with_for_update(of=LoginSession)
    )
    row = found.one_or_none()
    if row is None:
        return None
    current, user, now = row
    if token.hash == current.refresh_hash:
        successor = rotate(current, token, lifetimes, now)
        kind = EventKind.REFRESHED
    elif repeated := _repeat(current, token, lifetimes.grace, now):
        return SignedIn(services, user, current, repeated)
    else:
        current.ended_at = current.expires_at = now
        logger.warning(
            "Session %s of user %s has ended: a refresh token was used again.", current.id, user.id
        )
        successor = None
        kind = EventKind.TOKEN_REUSED
    security_events.record_in(session, kind, device, current)
    return SignedIn(services, user, current, successor) if successor else None


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
