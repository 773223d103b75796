"""How sessions go on."""

import functools
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models import LoginSession, User
from domain import security_events
from domain.devices import Client
from domain.errors import InvalidRefreshToken
from domain.security_events import EventKind
from domain.services import Gate, Lifetimes
from domain.sessions.active import is_ongoing
from domain.sessions.end import end_where
from domain.sessions.refresh_tokens import RefreshToken, new_salt
from domain.sessions.start import SignedIn

logger = logging.getLogger("gatehouse")

# Within one grace. A client that refreshes more often than that holds tokens that it has not used.
MAX_RECENT_ROTATIONS = 20


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


async def _refresh(
    session: AsyncSession, lifetimes: Lifetimes, client: Client, token: RefreshToken
) -> SignedIn | None:
    found = await session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.family_hash == token.family_hash, is_ongoing())
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
        await end_where(session, LoginSession.id == current.id)
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
