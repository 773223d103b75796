"""Reauthentication: a caller proves with their password that they are the owner (OWASP
Authentication Cheat Sheet, "Require Re-authentication for Sensitive Features")."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import User
from domain import passwords, security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.devices import Device
from domain.errors import InvalidCredentials, ReauthenticationRequired
from domain.security_events import EventKind
from domain.services import Services

WRONG_PASSWORD = "The current password is wrong."
NO_PASSWORD = "Your account has no password. Set one with a link by mail."


async def reauthenticate(
    services: Services,
    device: Device,
    caller: Caller,
    user: User,
    *,
    password: str | None,
    field: str,
) -> str:
    """Confirm that the caller is the owner, and return the password hash for `lock_confirmed`.

    Raises ReauthenticationRequired without a password, and what `confirm_password` raises.
    """
    if password is None:
        raise ReauthenticationRequired(methods=["PASSWORD"])
    return await confirm_password(services, device, caller, user, password, field=field)


async def confirm_password(
    services: Services, device: Device, caller: Caller, user: User, password: str, *, field: str
) -> str:
    """Verify the caller's password and return the hash it was verified against, for
    `lock_confirmed`.

    Raises InvalidCredentials, naming the ``field``, also if the account has no password;
    TooManyAttempts or Overloaded. Attempts are counted for each session: a stolen session gives no
    more guesses than its own, and cannot lock the owner out of the others. A password that no
    account can have is not counted.
    """
    if user.password_hash is None:
        raise _wrong_password(field, NO_PASSWORD)
    if not passwords.can_be_verified(password):
        raise _wrong_password(field)
    limits = services.rate_limiter.limits
    counted_as = ("session", str(caller.session_id))
    async with services.hashing_queue.slot() as hasher:
        await services.rate_limiter.hit(limits.network, device.network)
        await services.rate_limiter.hit(limits.account, *counted_as)
        verification = await hasher.verify(password, user.password_hash)
    if not verification.is_valid:
        await record_wrong_password(services, device, user.id, caller.session_id)
        raise _wrong_password(field)
    await services.rate_limiter.reset(limits.account, *counted_as)
    return user.password_hash


async def lock_confirmed(
    session: AsyncSession, caller: Caller, confirmed_hash: str, *, field: str
) -> User:
    """Lock the caller's row to change it, and check that the password is still the confirmed one.

    Raises InvalidCredentials, naming the ``field``, or SessionEnded.
    """
    user = await sessions.require_active(session, caller, lock="to change", with_secrets=True)
    if user.password_hash != confirmed_hash:
        raise _wrong_password(field)
    return user


@retried
async def record_wrong_password(
    services: Services, device: Device, user_id: UUID | None, session_id: UUID | None = None
) -> None:
    """Record a wrong password, also one for no account: the transaction takes time, and would
    reveal which exist."""
    async with services.database.writing() as session:
        security_events.record(
            session, EventKind.WRONG_PASSWORD, device, user_id=user_id, session_id=session_id
        )


def _wrong_password(field: str, message: str = WRONG_PASSWORD) -> InvalidCredentials:
    return InvalidCredentials(message, fields={field: [message]})
