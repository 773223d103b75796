"""Remove the second factors and passkeys of a user who has lost them, for the operator."""

from dataclasses import dataclass

from sqlalchemy import select

from db.database import retried
from db.models import User
from domain import emails, security_events, sessions
from domain.authentication.factors import Factors, factors_of_one, remove_all
from domain.authentication.lock import lock_user
from domain.devices import Device
from domain.errors import NotFound
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services


@dataclass(frozen=True, slots=True)
class RemovedFactors:
    """What was removed from an account, and whether it has a password to sign in with."""

    factors: Factors
    sessions: int
    has_password: bool


@retried
async def remove_factors(services: Services, device: Device, *, email: str) -> RemovedFactors:
    """Remove the authenticator app, the recovery codes and all passkeys of the user with this
    email, end all their sessions, and tell them by mail. The operator must know that it is the
    owner who asks (NIST SP 800-63B-4 section 4.2).

    An account that has neither an app nor a passkey stays as it is.

    Raises NotFound if no account has the email.
    """
    key = emails.key(email)
    async with services.database.writing() as session:
        user_id = await session.scalar(select(User.id).where(User.email_key == key))
        user = await lock_user(session, user_id)
        # The email may have changed before the lock.
        if user is None or user.email_key != key:
            raise NotFound("No account has this email.")
        factors = await factors_of_one(session, user.id)
        has_password = user.password_hash is not None
        if not await remove_all(session, user.id):
            return RemovedFactors(factors, 0, has_password)
        ended = await sessions.end_all_of(session, user)
        security_events.record(session, EventKind.FACTORS_REMOVED, device, user_id=user.id)
        await notify(session, services, device, Template.FACTORS_REMOVED, user)
        return RemovedFactors(factors, ended, has_password)
