"""Start a session in which an administrator acts in place of a user (RFC 8693 section 1.1)."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, User
from domain import security_events
from domain.devices import Device
from domain.security_events import EventKind
from domain.services import Services
from domain.sessions.refresh_tokens import RefreshToken
from domain.sessions.start import LoginMethod, SignedIn, new_session

#: It is never extended, however often the session is refreshed.
LIFETIME = timedelta(minutes=30)


async def start_impersonated(
    session: AsyncSession,
    services: Services,
    device: Device,
    user: User,
    own: LoginSession,
    *,
    reason: str,
) -> SignedIn:
    """Start a session of a user for the administrator whose own session is ``own``, and record it
    for both. The user's row must be locked by this transaction.

    It is no sign-in of the user: it ends no other session, and makes no network known.
    """
    token = RefreshToken.new()
    started = new_session(
        device,
        user,
        token,
        method=LoginMethod.IMPERSONATION,
        amr=own.amr,
        lifetimes=services.session_lifetimes,
    )
    started.impersonator_id = own.user_id
    started.proved_at = own.proved_at
    started.expires_at = min(started.expires_at, datetime.now(UTC) + LIFETIME)
    session.add(started)
    for kind, user_id, detail in (
        (EventKind.IMPERSONATED, user.id, reason),
        # The id of the user, not a name: the record outlives their account.
        (EventKind.IMPERSONATION_STARTED, own.user_id, str(user.id)),
    ):
        security_events.record(
            session,
            kind,
            device,
            user_id=user_id,
            session_id=started.id,
            actor_id=own.user_id if user_id == user.id else None,
            detail=detail,
        )
    return SignedIn.of(services, user, started, token)
