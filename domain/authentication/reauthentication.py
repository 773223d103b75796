"""What a caller proves with their password, beyond holding a token."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User
from domain import security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.devices import Client
from domain.errors import InvalidCredentials
from domain.security_events import EventKind
from domain.services import Gate


async def prove_password(
    gate: Gate, client: Client, caller: Caller, user: User, password: str, *, field: str
) -> str:
    """The hash that the password was right for, for `lock_as_proven`: the password may change until then.

    Raises InvalidCredentials, naming the ``field``; TooManyAttempts, Overloaded. Attempts are counted by session: a
    thief of one can neither go on guessing nor keep the owner out of the others.
    """
    ceilings = gate.throttle.ceilings
    counted_as = ("session", str(caller.session_id))
    async with gate.passwords.turn() as hashing:
        await gate.throttle.admit(ceilings.network, client.network)
        await gate.throttle.admit(ceilings.account, *counted_as)
        verdict = await hashing.verify(password, user.password_hash)
    if not verdict.right:
        await record_wrong_password(gate, client, user.id, caller.session_id)
        raise _wrong_password(field)
    await gate.throttle.forgive(ceilings.account, *counted_as)
    return user.password_hash


async def lock_as_proven(
    session: AsyncSession, caller: Caller, proven_hash: str, *, field: str
) -> User:
    """The caller's row, locked to change, with the password that was proven. Raises InvalidCredentials, SessionEnded."""
    user = await sessions.authorize(session, caller, lock="to change", with_secrets=True)
    if user.password_hash != proven_hash:
        raise _wrong_password(field)
    return user


async def record_wrong_password(
    gate: Gate, client: Client, user_id: UUID | None, session_id: UUID | None = None
) -> None:
    """Of nobody's too: a transaction takes time, which would tell a user from none."""
    async with gate.database.writing() as session:
        security_events.record(
            session, EventKind.WRONG_PASSWORD, client, user_id=user_id, session_id=session_id
        )


def _wrong_password(field: str) -> InvalidCredentials:
    sentence = "This is not your current password."
    return InvalidCredentials(sentence, fields={field: [sentence]})
