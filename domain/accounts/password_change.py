"""How a person changes their password."""

from domain import passwords, sessions
from domain.access_tokens.tokens import Caller
from domain.authentication.reauthentication import lock_as_proven, prove_password
from domain.devices import Client
from domain.errors import refuse
from domain.services import Gate
from domain.sessions import SessionOrigin, SignedIn


async def change_password(
    gate: Gate, client: Client, caller: Caller, *, current_password: str, new_password: str
) -> SignedIn:
    """Replace the password, and every session by a new one of the caller's: whoever has stolen a token of any is out
    (OWASP Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level Change").

    Raises InvalidInput, InvalidCredentials, TooManyAttempts, Overloaded, SessionEnded.
    """
    async with gate.database.reading() as session:
        user = await sessions.authorize(session, caller, with_secrets=True)
    refuse(new_password=passwords.problems(new_password, username=user.username, email=user.email))
    proven_hash = await prove_password(
        gate, client, caller, user, current_password, field="current_password"
    )
    async with gate.passwords.turn() as hashing:
        new_hash = await hashing.hash(new_password)
    async with gate.database.writing() as session:
        user = await lock_as_proven(session, caller, proven_hash, field="current_password")
        user.password_hash = new_hash
        await sessions.end_with_the_rest(session, user)
        return await sessions.start(
            session,
            gate.lifetimes,
            user,
            client=client,
            origin=SessionOrigin.PASSWORD_CHANGE,
        )
