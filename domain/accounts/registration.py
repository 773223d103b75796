"""How an account is opened."""

from datetime import UTC, datetime

from db.models import User
from domain import emails, passwords, sessions, usernames
from domain.accounts.users import (
    email_problems,
    naming_what_is_taken,
    set_email,
    set_username,
)
from domain.devices import Client
from domain.errors import refuse
from domain.ids import new_id
from domain.services import Gate
from domain.sessions import SessionOrigin, SignedIn


async def register(
    gate: Gate, client: Client, *, username: str, email: str, password: str
) -> SignedIn:
    """Open an account and start its first session.

    Raises InvalidInput, UsernameTaken, EmailTaken, TooManyAttempts or Overloaded.
    """
    address = emails.parse(email)
    refuse(
        username=usernames.problems(username),
        email=email_problems(address),
        password=passwords.problems(password, username=username, email=email),
    )
    assert address is not None
    async with gate.passwords.turn() as hashing:
        await gate.throttle.admit(gate.throttle.ceilings.registration, client.network)
        password_hash = await hashing.hash(password)
    user = User(
        id=new_id(),
        password_hash=password_hash,
        image_file=None,
        created_at=datetime.now(UTC),
    )
    set_username(user, username)
    set_email(user, address)
    async with (
        naming_what_is_taken(gate.database, user.id, username),
        gate.database.writing() as session,
    ):
        session.add(user)
        await session.flush()
        return await sessions.start(
            session, gate.lifetimes, user, client=client, origin=SessionOrigin.REGISTRATION
        )
