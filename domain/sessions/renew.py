"""Renew the tokens of a session whose user has proved again who they are."""

from collections.abc import Collection
from datetime import UTC, datetime

from db.models import LoginSession, User
from domain.services import Services
from domain.sessions.refresh_tokens import RefreshToken
from domain.sessions.start import SignedIn


def renew(
    services: Services, user: User, current: LoginSession, *, amr: Collection[str]
) -> SignedIn:
    """Return new tokens for a session, whose row must be locked by the transaction, and remember
    that its user has just proved who they are (OWASP ASVS 5, 7.2.4).

    The former refresh tokens of the session stop working, and do not end it. Its access tokens work
    until they expire, and allow nothing that needs the proof.
    """
    now = datetime.now(UTC)
    token = RefreshToken.new()
    current.family_hash, current.refresh_hash, current.rotations = token.family_hash, token.hash, []
    current.last_used_at = now
    current.expires_at = services.session_lifetimes.expiry(started=current.created_at, used=now)
    current.proved_at, current.amr = now, joined(current.amr, amr)
    return SignedIn.of(services, user, current, token)


def joined(amr: Collection[str], more: Collection[str]) -> list[str]:
    """Return all methods of authentication, each once."""
    return list(dict.fromkeys([*amr, *more]))
