"""Change a password, or set the first one."""

from db.database import retried
from domain import passwords, sessions, tickets
from domain.access_tokens.tokens import Caller
from domain.authentication.reauthentication import Proof, lock_proved, prove
from domain.devices import Device
from domain.errors import raise_invalid
from domain.mail import Template
from domain.security_notices import notify
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn
from domain.tickets import TicketKind

HAS_PASSWORD = "Your account has a password. Use changePassword."

# What the former password has confirmed, or would be replaced with.
_TICKETS = (TicketKind.PASSWORD_RESET, TicketKind.EMAIL_CHANGE, TicketKind.SECOND_FACTOR)


async def change_password(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    current_password: str | None,
    new_password: str,
) -> SignedIn:
    """Replace the caller's password, end all their sessions and start a new one, so that stolen
    tokens of any session stop working (OWASP Session Management Cheat Sheet, "Renew the Session ID
    After Any Privilege Level Change").

    Raises InvalidInput, ReauthenticationRequired, InvalidCredentials, TooManyAttempts, Overloaded
    or SessionEnded.
    """
    await _require_valid(services, caller, new_password)
    proof = await prove(
        services, device, caller, password=current_password, field="current_password"
    )
    return await _replace(services, device, caller, proof, new_password)


async def set_password(
    services: Services, device: Device, caller: Caller, *, new_password: str
) -> SignedIn:
    """Set the password of a caller who has none, as `change_password` does.

    Raises InvalidInput, ReauthenticationRequired, TooManyAttempts, Overloaded or SessionEnded.
    """
    await _require_valid(services, caller, new_password)
    proof = await prove(services, device, caller)
    if proof.user.password_hash is not None:
        raise_invalid(new_password=[HAS_PASSWORD])
    return await _replace(services, device, caller, proof, new_password)


async def _require_valid(services: Services, caller: Caller, new_password: str) -> None:
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, as_owner=True)
    raise_invalid(
        new_password=passwords.problems(new_password, username=user.username, email=user.email)
    )


async def _replace(
    services: Services, device: Device, caller: Caller, proof: Proof, new_password: str
) -> SignedIn:
    async with services.hashing_queue.slot() as hasher:
        if proof.confirmed_hash is None:
            # A password that was verified has been counted.
            await services.rate_limiter.hit(services.rate_limiter.limits.network, device.network)
        new_hash = await hasher.hash(new_password)
    return await _store(services, device, caller, proof, new_hash)


@retried
async def _store(
    services: Services, device: Device, caller: Caller, proof: Proof, new_hash: str
) -> SignedIn:
    async with services.database.writing() as session:
        user, current = await lock_proved(session, services, caller, proof)
        user.password_hash = new_hash
        user.must_reset_at = None
        await sessions.end_all_of(session, user)
        await tickets.discard(session, user.id, _TICKETS)
        await notify(session, services, device, Template.PASSWORD_CHANGED, user)
        return await sessions.start(
            session,
            services,
            device,
            user,
            method=LoginMethod.PASSWORD_CHANGE,
            amr=sessions.joined(current.amr, ["pwd"]),
        )
