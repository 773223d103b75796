"""How a person leaves."""

from uuid import UUID

from domain import security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.authentication.reauthentication import lock_as_proven, prove_password
from domain.devices import Client
from domain.security_events import EventKind
from domain.services import Gate


async def remove(gate: Gate, client: Client, caller: Caller, *, password: str) -> UUID:
    """Delete the account with its posts and sessions, for good, and answer its id. What happened to it stays on record
    until it is pruned.

    Raises InvalidCredentials, TooManyAttempts, Overloaded, SessionEnded.
    """
    async with gate.database.reading() as session:
        user = await sessions.authorize(session, caller, with_secrets=True)
    proven_hash = await prove_password(gate, client, caller, user, password, field="password")
    async with gate.database.writing() as session:
        user = await lock_as_proven(session, caller, proven_hash, field="password")
        await session.delete(user)
        security_events.record(
            session, EventKind.DELETED, client, user_id=user.id, session_id=caller.session_id
        )
    return user.id
