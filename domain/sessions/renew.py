"""Renew the tokens of a session whose user has proved again who they are."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.clock import DatabaseTime
from db.models import LoginSession, User
from domain.services import Services
from domain.sessions.refresh import rotate
from domain.sessions.refresh_tokens import RefreshToken
from domain.sessions.start import SignedIn


async def renew(
    session: AsyncSession,
    services: Services,
    user: User,
    current: LoginSession,
    *,
    amr: Collection[str],
    refresh_token: RefreshToken | None,
) -> SignedIn:
    """Return new tokens for a session that `lock_active` has locked, and remember that its user has
    just proved who they are (OWASP ASVS 5, 7.2.4).

    The newest refresh token of the session, if it is at hand, is rotated as by a refresh. Otherwise
    no former refresh token works any more, and using one does not end the session. Former access
    tokens work until they expire, and allow nothing that needs the proof.
    """
    current.proved_at, current.amr = datetime.now(UTC), joined(current.amr, amr)
    lifetimes = services.session_lifetimes
    # The clock that refreshes go by.
    now: datetime = (await session.execute(select(DatabaseTime()))).scalar_one()
    if refresh_token is not None and refresh_token.hash == current.refresh_hash:
        token = rotate(current, refresh_token, lifetimes, now)
    else:
        token = RefreshToken.new()
        current.family_hash, current.refresh_hash = token.family_hash, token.hash
        current.rotations = []
        current.last_used_at = now
        current.expires_at = lifetimes.expiry(started=current.created_at, used=now)
    return SignedIn(services, user, current, token)


def joined(amr: Collection[str], more: Collection[str]) -> list[str]:
    """Return all methods of authentication, each once."""
    return list(dict.fromkeys([*amr, *more]))
