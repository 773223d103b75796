"""Change a password."""

from db.database import retried
from domain import passwords, sessions, tickets
from domain.access_tokens.tokens import Caller
from domain.authentication.reauthentication import confirm_password, lock_confirmed
from domain.devices import Device
from domain.errors import raise_invalid
from domain.mail import Template
from domain.security_notices import notify
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn
from domain.tickets import TicketKind


@retried
async def change_password(
    services: Services,
    device: Device,
    caller: Caller,
    *,
    current_password: str,
    new_password: str,
) -> SignedIn:
    """Replace the caller's password, end all their sessions and start a new one, so that stolen
    tokens of any session stop working (OWASP Session Management Cheat Sheet, "Renew the Session ID
    After Any Privilege Level Change").

    Raises InvalidInput, InvalidCredentials, TooManyAttempts, Overloaded or SessionEnded.
    """
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, with_secrets=True)
    raise_invalid(
        new_password=passwords.problems(new_password, username=user.username, email=user.email)
    )
    confirmed_hash = await confirm_password(
        services, device, caller, user, current_password, field="current_password"
    )
    async with services.hashing_queue.slot() as hasher:
        new_hash = await hasher.hash(new_password)
    async with services.database.writing() as session:
        user = await lock_confirmed(session, caller, confirmed_hash, field="current_password")
        user.password_hash = new_hash
        await sessions.end_all_of(session, user)
        # Also a change of the email that the former password has confirmed.
        await tickets.discard(
            session, user.id, [TicketKind.PASSWORD_RESET, TicketKind.EMAIL_CHANGE]
        )
        await notify(session, services, device, Template.PASSWORD_CHANGED, user)
        return await sessions.start(
            session, services, device, user, method=LoginMethod.PASSWORD_CHANGE
        )
