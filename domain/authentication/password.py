"""Sign in with a password."""

from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.database import retried
from db.models import User
from domain import emails, passwords, usernames
from domain.authentication.attempts import KNOWS_NETWORK, counted_as
from domain.authentication.complete import complete, require_complete
from domain.authentication.lock import lock_user
from domain.authentication.outcomes import reported
from domain.authentication.reauthentication import record_wrong_password
from domain.devices import Device
from domain.errors import InvalidCredentials
from domain.passwords.hashing import PasswordHasher
from domain.services import Services
from domain.sessions import LoginMethod, SignedIn


async def log_in(
    services: Services, device: Device, *, login: str, password: str, method: LoginMethod
) -> SignedIn:
    """Start a session for the user with this username or email and this password.

    Raises InvalidCredentials, SecondFactorRequired, TooManyAttempts or Overloaded.
    InvalidCredentials never says what was wrong, and comes after the same time and the same work
    whether the user exists or not (OWASP Authentication Cheat Sheet). TooManyAttempts comes before
    any of that work. A password that no account can have is refused before it is counted: it costs
    no hash, and free attempts must not push counts out of the memory.

    Attempts are counted as `counted_as` says, by the identifier as it was typed. With one count for
    username and email, the error would reveal which of them belong together.
    """
    with reported(services, method):
        if not passwords.can_be_verified(password):
            raise InvalidCredentials
        async with services.hashing_queue.slot() as hasher:
            return await _log_in(services, hasher, device, login, password, method)


@retried
async def _log_in(
    services: Services,
    hasher: PasswordHasher,
    device: Device,
    login: str,
    password: str,
    method: LoginMethod,
) -> SignedIn:
    limits = services.rate_limiter.limits
    await services.rate_limiter.hit(limits.network, device.network)
    key = _key(login)
    async with services.database.connecting() as connection:
        user_id, stored_hash, knows_network = await _find(connection, login, key, device)
    # An identifier that no account can have is counted as it is, up to the length of an email.
    identifier = key or login[: emails.MAX_LENGTH + 1]
    key_of_count = counted_as(identifier, device, knows_network=knows_network)
    await services.rate_limiter.hit(limits.account, *key_of_count)
    outcome = None
    while outcome is None:
        verification = await hasher.verify(password, stored_hash, unknown=identifier)
        if user_id is None or not verification.is_valid:
            await record_wrong_password(services, device, user_id)
            raise InvalidCredentials
        async with services.database.writing() as session:
            user = await lock_user(session, user_id)
            if user is not None and user.password_hash == stored_hash:
                if verification.updated_hash:
                    user.password_hash = verification.updated_hash
                outcome = await complete(
                    session, services, device, user, method=method, amr=["pwd"]
                )
            # If the hash changed after the verification, the password is verified against the new
            # one.
            user_id, stored_hash = (user.id, user.password_hash) if user else (None, None)
    # The count of other networks stays: resetting it would give guessers there their attempts back.
    known = counted_as(identifier, device, knows_network=True)
    await services.rate_limiter.reset(limits.account, *known)
    return require_complete(outcome)


def _key(login: str) -> str | None:
    """Return the canonical key of a username or an email, or None if no account can have it."""
    return emails.key(login) if "@" in login else usernames.key(login)


# Built once: building them for each login takes a quarter of its time.
_BY_USERNAME, _BY_EMAIL = (
    select(User.id, User.password_hash, KNOWS_NETWORK).where(column == bindparam("key"))
    for column in (User.username_key, User.email_key)
)


async def _find(
    connection: AsyncConnection, login: str, key: str | None, device: Device
) -> tuple[UUID | None, str | None, bool]:
    """Return the id of the user, the hash of their password, and whether they have started a
    session from the device's network."""
    statement = _BY_EMAIL if "@" in login else _BY_USERNAME
    found = await connection.execute(statement, {"key": key, "network": device.network})
    row = found.one_or_none()
    return (None, None, False) if row is None else (row[0], row[1], row[2])
