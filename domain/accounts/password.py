"""How a person changes their password."""

from domain import passwords, security_events, sessions
from domain.accounts.proof import prove_password, wrong_password
from domain.accounts.users import refuse
from domain.clients import Client
from domain.gate import Gate
from domain.security_events import EventKind
from domain.sessions import SignedIn
from domain.tokens import Caller


async def change_password(
    gate: Gate, client: Client, caller: Caller, *, current_password: str, new_password: str
) -> SignedIn:
    """Replace the password, end every other session, and give this one new refresh tokens: whoever has stolen any of the
    old ones is out.

    Raises InvalidInput, InvalidCredentials, TooManyAttempts, Overloaded, SessionEnded.
    """
    async with gate.database.reading() as session:
        user = await sessions.user_of(session, caller, with_secrets=True)
    refuse(new_password=passwords.problems(new_password, username=user.username, email=user.email))
    proven_hash = await prove_password(
        gate, client, caller, user, current_password, field="current_password"
    )
    new_hash = await gate.passwords.hash(new_password)
    async with gate.database.writing() as session:
        user = await sessions.user_of(session, caller, lock="to change", with_secrets=True)
        if user.password_hash != proven_hash:
            raise wrong_password("current_password")
        user.password_hash = new_hash
        await sessions.end_others(session, caller)
        security_events.record(
            session,
            EventKind.PASSWORD_CHANGED,
            client,
            user_id=user.id,
            session_id=caller.session_id,
        )
        return await sessions.renew(session, gate.lifetimes, user, caller)
