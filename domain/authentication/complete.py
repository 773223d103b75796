"""The end of every way of signing in."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User
from domain import security_events, sessions, tickets
from domain.access_tokens.tokens import MULTIPLE_FACTORS
from domain.authentication.factors import factors_of_one
from domain.authentication.new_sign_in import notify_if_new
from domain.devices import Device
from domain.errors import (
    AccountDisabled,
    Challenge,
    PasswordResetRequired,
    SecondFactorRequired,
)
from domain.security_events import EventKind
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn
from domain.tickets import TicketKind

# OWASP ASVS 5, 6.5.5.
CHALLENGE_LIFETIME = timedelta(minutes=10)


async def complete(
    session: AsyncSession,
    services: Services,
    device: Device,
    user: User,
    *,
    method: LoginMethod,
    amr: Collection[str],
) -> SignedIn | Challenge:
    """Start the session of a user who has proven who they are, or return the challenge of a second
    factor if one is due. Commit in both cases, and give the outcome to `require_complete`. Raises
    AccountDisabled, or PasswordResetRequired for a password that must be reset.

    Every way of signing in calls this and nothing else, so a rule that must hold for all of them is
    written here once (OWASP ASVS 6.3.4). ``amr`` is how the user has proven it (RFC 8176). The row
    of the user must be locked by this transaction, and loaded with ``RECIPIENT``.
    """
    require_enabled(user)
    if user.must_reset_at is not None and "pwd" in amr:
        raise PasswordResetRequired
    # A passkey is both factors.
    if MULTIPLE_FACTORS not in amr and (methods := (await factors_of_one(session, user.id)).second):
        state = {"method": method, "amr": list(amr)}
        new = tickets.create(
            session,
            TicketKind.SECOND_FACTOR,
            lifetime=CHALLENGE_LIFETIME,
            user_id=user.id,
            state=state,
        )
        security_events.record(session, EventKind.SECOND_FACTOR_REQUESTED, device, user_id=user.id)
        return Challenge(new.value, methods, CHALLENGE_LIFETIME)
    await notify_if_new(session, services, device, user)
    return await sessions.start(session, services, device, user, method=method, amr=amr)


def require_enabled(user: User) -> None:
    """Raise AccountDisabled. Call it after the proof, which must not be kept then."""
    if user.disabled_at is not None:
        raise AccountDisabled


def require_complete(outcome: SignedIn | Challenge) -> SignedIn:
    """Return the session that has started. Raises SecondFactorRequired."""
    if isinstance(outcome, Challenge):
        raise SecondFactorRequired(outcome)
    return outcome
