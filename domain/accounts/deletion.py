"""Delete an account."""

from uuid import UUID

from db.database import retried
from domain import security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.authentication.reauthentication import confirm_password, lock_confirmed
from domain.devices import Device
from domain.security_events import EventKind
from domain.services import Services


@retried
async def delete(services: Services, device: Device, caller: Caller, *, password: str) -> UUID:
    """Delete the caller's account with everything that belongs to it, and return its id. Security
    events stay until they are pruned.

    Raises InvalidCredentials, TooManyAttempts, Overloaded or SessionEnded.
    """
    async with services.database.reading() as session:
        user = await sessions.require_active(session, caller, with_secrets=True)
    confirmed_hash = await confirm_password(
        services, device, caller, user, password, field="password"
    )
    async with services.database.writing() as session:
        user = await lock_confirmed(session, caller, confirmed_hash, field="password")
        await session.delete(user)
        security_events.record(
            session, EventKind.DELETED, device, user_id=user.id, session_id=caller.session_id
        )
    return user.id
