"""Register an account."""

from datetime import UTC, datetime

from db.database import retried
from db.models import User
from domain import emails, passwords, usernames
from domain.accounts.users import (
    email_problems,
    set_email,
    set_username,
    unique_violations_as_errors,
)
from domain.authentication.complete import complete
from domain.devices import Device
from domain.errors import raise_invalid
from domain.ids import new_id
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn


@retried
async def register(
    services: Services, device: Device, *, username: str, email: str, password: str
) -> SignedIn:
    """Create an account and start its first session.

    Raises InvalidInput, UsernameTaken, EmailTaken, TooManyAttempts or Overloaded.
    """
    address = emails.parse(email)
    raise_invalid(
        username=usernames.problems(username),
        email=email_problems(address),
        password=passwords.problems(password, username=username, email=email),
    )
    assert address is not None
    async with services.hashing_queue.slot() as hasher:
        await services.rate_limiter.hit(services.rate_limiter.limits.registration, device.network)
        password_hash = await hasher.hash(password)
    user = User(
        id=new_id(),
        password_hash=password_hash,
        image_file=None,
        created_at=datetime.now(UTC),
    )
    set_username(user, username)
    set_email(user, address)
    async with (
        unique_violations_as_errors(services.database, user.id, username),
        services.database.writing() as session,
    ):
        session.add(user)
        await session.flush()
        return await complete(session, services, device, user, method=LoginMethod.REGISTRATION)
