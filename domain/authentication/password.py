"""How a person logs in."""

import asyncio

from sqlalchemy import bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models import LoginSession, User
from domain import emails, sessions, usernames
from domain.authentication.reauthentication import record_wrong_password
from domain.devices import Client
from domain.errors import ErrorCode, InvalidCredentials, code_for
from domain.passwords.hashing import Hashing
from domain.services import Gate
from domain.sessions import SessionOrigin, SignedIn


async def log_in(
    gate: Gate, client: Client, *, login: str, password: str, origin: SessionOrigin
) -> SignedIn:
    """Start a session for the user with this username or email and this password.

    Raises InvalidCredentials, which never says what was wrong, after the same time and the same work whether there is
    such a user or not (OWASP Authentication Cheat Sheet); TooManyAttempts, before any of that work; or Overloaded.

    Attempts on an account are counted together from all the networks that its owner has not logged in from, and apart
    for each one that they have: whoever guesses elsewhere keeps no owner out. They are counted by what was typed: were
    username and email counted as one, the refusal would tell which belong together.
    """
    try:
        async with gate.passwords.turn() as hashing:
            signed_in = await _log_in(gate, hashing, client, login, password, origin)
    except asyncio.CancelledError:
        # It took longer than anyone waits: that is what they are told.
        gate.observer.login_ended(ErrorCode.UNAVAILABLE)
        raise
    except Exception as error:
        gate.observer.login_ended(code_for(error))
        raise
    gate.observer.login_ended("OK")
    return signed_in


async def _log_in(
    gate: Gate,
    hashing: Hashing,
    client: Client,
    login: str,
    password: str,
    origin: SessionOrigin,
) -> SignedIn:
    ceilings = gate.throttle.ceilings
    await gate.throttle.admit(ceilings.network, client.network)
    key = _key(login)
    async with gate.database.reading() as session:
        user, is_known_there = await _find(session, login, key, client)
    # What can be no name stands for itself.
    name = key or login
    counted_as = ("known", name, client.network) if is_known_there else ("new", name)
    await gate.throttle.admit(ceilings.account, *counted_as)
    signed_in = None
    while signed_in is None:
        verdict = await hashing.verify(password, user.password_hash if user else None)
        if user is None or not verdict.right:
            await record_wrong_password(gate, client, user.id if user else None)
            raise InvalidCredentials
        judged_by = user.password_hash
        async with gate.database.writing() as session:
            user = await _lock(session, user)
            # Changed or renewed while it was being judged, the password is judged once more.
            if user is not None and user.password_hash == judged_by:
                if verdict.renewed_hash:
                    user.password_hash = verdict.renewed_hash
                signed_in = await sessions.start(
                    session, gate.lifetimes, user, client=client, origin=origin
                )
    # Not what others have tried elsewhere: that count is theirs, and would be theirs to use again.
    await gate.throttle.forgive(ceilings.account, "known", name, client.network)
    return signed_in


def _key(login: str) -> str | None:
    """One for all spellings of a name or an email; None for what can be neither."""
    if "@" in login:
        address = emails.parse(login)
        return address.key if address else None
    return usernames.key(login)


# Made once: to make each of them anew for every login takes a quarter of their time.
_WITH_HASH = undefer(User.password_hash)
_IS_KNOWN_THERE = exists().where(
    LoginSession.user_id == User.id, LoginSession.network == bindparam("network")
)
_BY_USERNAME, _BY_EMAIL = (
    select(User, _IS_KNOWN_THERE).where(column == bindparam("key")).options(_WITH_HASH)
    for column in (User.username_key, User.email_key)
)
_LOCKED = (
    select(User)
    .where(User.id == bindparam("id"))
    .with_for_update(key_share=True)
    .options(_WITH_HASH)
)


async def _find(
    session: AsyncSession, login: str, key: str | None, client: Client
) -> tuple[User | None, bool]:
    """The user, and whether they have started a session from the client's network."""
    statement = _BY_EMAIL if "@" in login else _BY_USERNAME
    found = await session.execute(statement, {"key": key, "network": client.network})
    row = found.one_or_none()
    return (None, False) if row is None else (row[0], row[1])


async def _lock(session: AsyncSession, user: User) -> User | None:
    locked: User | None = await session.scalar(_LOCKED, {"id": user.id})
    return locked
