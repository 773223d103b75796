"""Refresh a session."""

import functools
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models import LoginSession, User
from domain import security_events
from domain.devices import Device
from domain.errors import InvalidRefreshToken
from domain.security_events import EventKind
from domain.services import Services, SessionLifetimes
from domain.sessions.active import find_family, is_active
from domain.sessions.refresh_tokens import RefreshToken, new_salt
from domain.sessions.start import SignedIn

logger = logging.getLogger("gatehouse")

# Within one grace period. A client that refreshes more often holds tokens that it has not used.
MAX_RECENT_ROTATIONS = 20


async def refresh(services: Services, device: Device, refresh_token: str) -> SignedIn:
    """Exchange a refresh token for its successor. Raises InvalidRefreshToken or TooManyAttempts.

    A token that is used again within the grace period (two tabs, a lost answer) returns the same
    successor. A token that is used again later may be stolen, and its session ends (RFC 9700
    section 4.14.2).
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
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.family_hash == token.family_hash, is_active())
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
    elif repeated := _successor(current, token, lifetimes.grace):
        return SignedIn.of(services, user, current, repeated)
    else:
        current.ended_at = current.expires_at = datetime.now(UTC)
        logger.warning(
            "Session %s of user %s has ended: a refresh token was used again.", current.id, user.id
        )
        successor = None
        kind = EventKind.TOKEN_REUSED
    security_events.record(session, kind, device, user_id=user.id, session_id=current.id)
    return SignedIn.of(services, user, current, successor) if successor else None


def _rotate(
    current: LoginSession, token: RefreshToken, lifetimes: SessionLifetimes
) -> RefreshToken:
    now = datetime.now(UTC)
    salt = new_salt()
    rotations = [*_recent(current, lifetimes.grace), {"at": now.timestamp(), "salt": salt}]
    current.rotations = rotations[-MAX_RECENT_ROTATIONS:]
    current.last_used_at = now
    current.expires_at = lifetimes.expiry(started=current.created_at, used=now)
    successor = token.successor(salt)
    current.refresh_hash = successor.hash
    return successor


def _recent(current: LoginSession, grace: timedelta) -> list[dict[str, Any]]:
    since = (datetime.now(UTC) - grace).timestamp()
    return [rotation for rotation in current.rotations if rotation["at"] > since]


def _successor(current: LoginSession, token: RefreshToken, grace: timedelta) -> RefreshToken | None:
    """Return the newest token after one that was used within the grace period, or None.

    The session may have rotated several times since, so each of the recent rotations is tried as
    this token's own.
    """
    salts = [rotation["salt"] for rotation in _recent(current, grace)]
    for first in range(len(salts)):
        newest = functools.reduce(RefreshToken.successor, salts[first:], token)
        if newest.hash == current.refresh_hash:
            return newest
    return None
