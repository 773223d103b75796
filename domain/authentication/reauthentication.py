"""Reauthentication: the caller of a session proves again that they are the owner (OWASP ASVS 5,
7.5.1, and Authentication Cheat Sheet, "Require Re-authentication for Sensitive Features").

A sensitive command calls `prove` before its transaction, which verifies the password that came with
it or else looks for a recent proof, and `lock_proved` in the transaction, which looks again.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import LoginSession, User
from domain import passwords, security_events, sessions
from domain.access_tokens.tokens import MULTIPLE_FACTORS, Caller
from domain.authentication.factors import Factors, factors_of_one
from domain.devices import Device
from domain.errors import (
    EmailNotVerified,
    InvalidCredentials,
    PasswordResetRequired,
    ReauthenticationRequired,
    SessionEnded,
)
from domain.security_events import EventKind
from domain.services import Services

WRONG_PASSWORD = "The current password is wrong."
NO_PASSWORD = "Your account has no password. Set one with a link by mail."


class ProofMethod(StrEnum):
    """How a caller can prove again who they are."""

    PASSWORD = "PASSWORD"
    TOTP = "TOTP"
    RECOVERY_CODE = "RECOVERY_CODE"
    PASSKEY = "PASSKEY"
    #: By signing in anew.
    SIGN_IN = "SIGN_IN"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof of the caller, which `lock_proved` checks again. ``confirmed_hash`` is the hash that
    a password was verified against, if one was given in the ``argument``."""

    user: User
    confirmed_hash: str | None = field(default=None, repr=False)
    argument: str = ""


def methods_of(services: Services, user: User, factors: Factors) -> list[ProofMethod]:
    """Return how a user can prove again who they are: with a second factor, if they have one, and
    then not with the password alone. A passkey is one where the server requires it."""
    if factors.totp:
        return [ProofMethod(method) for method in factors.second]
    if factors.passkeys and services.requires_second_factor:
        return [ProofMethod.PASSKEY]
    found = [ProofMethod.PASSWORD] if user.password_hash else []
    found += [ProofMethod.PASSKEY] if factors.passkeys else []
    return found or [ProofMethod.SIGN_IN]


async def prove(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    password: str | None = None,
    field: str = "password",
) -> Proof:
    """Verify the password that came with a command, or find that the caller has recently proved who
    they are: at the sign-in, or with `reauthenticate`.

    Raises ReauthenticationRequired, SessionEnded and what `confirm_password` raises, naming the
    ``field`` of the password.
    """
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, with_secrets=True, as_owner=True)
        current = await session.get(LoginSession, caller.session_id)
        if current is None:
            # Deleted since, with the account.
            raise SessionEnded
        factors = await factors_of_one(session, user.id)
    methods = methods_of(services, user, factors)
    has_proved = is_recent(services, caller, current) and (
        # Who knows the password alone must not add a second factor to that of the owner.
        MULTIPLE_FACTORS in current.amr
        or not services.requires_second_factor
        or factors == Factors()
    )
    if not has_proved and (password is None or ProofMethod.PASSWORD not in methods):
        raise ReauthenticationRequired(methods)
    if password is None:
        return Proof(user)
    confirmed = await confirm_password(services, device, caller, user, password, field=field)
    return Proof(user, confirmed, field)


async def lock_proved(
    session: AsyncSession, services: Services, caller: Caller, proof: Proof
) -> tuple[User, LoginSession]:
    """Lock the caller's row and session to change them, and check that the proof still holds.

    Raises ReauthenticationRequired, SessionEnded, or InvalidCredentials if the password has
    changed.
    """
    user, current = await sessions.lock_active(session, caller)
    if proof.confirmed_hash is not None:
        if user.password_hash != proof.confirmed_hash:
            raise wrong_password(proof.argument)
    elif not is_recent(services, caller, current):
        factors = await factors_of_one(session, user.id)
        raise ReauthenticationRequired(methods_of(services, user, factors))
    return user, current


def is_recent(services: Services, caller: Caller, current: LoginSession) -> bool:
    """Return whether a session was proven recently, and the caller's access token issued since: one
    that was stolen before gains nothing by the proof of its owner.

    A token's time is in whole seconds.
    """
    age = datetime.now(UTC) - current.proved_at
    issued_since = caller.issued_at >= current.proved_at.timestamp() - 1
    return issued_since and age <= services.proof_lifetime


def require_verified_email(services: Services, user: User) -> None:
    """Raise EmailNotVerified for a user whose email could be verified: someone who made the account
    with the address of another person must not add a way in to it."""
    if services.mailer is not None and user.email_verified_at is None:
        raise EmailNotVerified("Verify your email first.")


async def confirm_password(
    services: Services, device: Device, caller: Caller, user: User, password: str, *, field: str
) -> str:
    """Verify the caller's password and return the hash it was verified against, for `lock_proved`.

    Raises InvalidCredentials, naming the ``field``, also if the account has no password;
    TooManyAttempts or Overloaded. Attempts are counted for each session: a stolen session gives no
    more guesses than its own, and cannot lock the owner out of the others. A password that no
    account can have is not counted.
    """
    if user.password_hash is None:
        raise wrong_password(field, NO_PASSWORD)
    if user.must_reset_at is not None:
        raise PasswordResetRequired
    if not passwords.can_be_verified(password):
        raise wrong_password(field)
    limits = services.rate_limiter.limits
    counted_as = ("session", str(caller.session_id))
    async with services.hashing_queue.slot() as hasher:
        await services.rate_limiter.hit(limits.network, device.network)
        await services.rate_limiter.hit(limits.account, *counted_as)
        verification = await hasher.verify(password, user.password_hash)
    if not verification.is_valid:
        await record_wrong_password(services, device, user.id, caller.session_id)
        raise wrong_password(field)
    await services.rate_limiter.reset(limits.account, *counted_as)
    return user.password_hash


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


def wrong_password(field: str, message: str = WRONG_PASSWORD) -> InvalidCredentials:
    return InvalidCredentials(message, fields={field: [message]})
