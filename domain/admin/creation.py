"""Create an account, for the operator."""

from collections.abc import Collection
from datetime import UTC, datetime

from db.database import retried
from db.models import User, UserRole
from domain import events, passwords, security_events
from domain.accounts.registration import new_user, require_valid
from domain.accounts.users import unique_violations_as_errors
from domain.devices import Device
from domain.emails import Address
from domain.events import EventType
from domain.roles import Operator, Role
from domain.security_events import EventKind
from domain.services import Services


async def create_account(
    services: Services,
    device: Device,
    actor: Operator,
    *,
    username: str,
    email: str,
    password: str | None,
    email_verified: bool = False,
    roles: Collection[Role] = (),
) -> User:
    """Create an account without a mail, and without a password if it is None.

    The first administrator is made here, so only the operator can.

    Raises InvalidInput, UsernameTaken, EmailTaken or Overloaded.
    """
    address = require_valid(services, username, email, password)
    password_hash = None
    if password is not None:
        async with services.hashing_queue.slot() as hasher:
            password_hash = await hasher.hash(password)
        await passwords.require_unbreached(services.breached_passwords, password)
    return await _add(services, device, username, address, password_hash, email_verified, roles)


@retried
async def _add(
    services: Services,
    device: Device,
    username: str,
    address: Address,
    password_hash: str | None,
    email_verified: bool,
    roles: Collection[Role],
) -> User:
    now = datetime.now(UTC)
    user = new_user(username, address, password_hash, locale=None)
    user.email_verified_at = now if email_verified else None
    async with (
        unique_violations_as_errors(services.database, user.id, username),
        services.database.writing(to_replica=True) as session,
    ):
        session.add(user)
        await session.flush()
        security_events.record(session, EventKind.REGISTERED, device, user_id=user.id)
        if email_verified:
            events.publish(session, EventType.USER_VERIFIED, user_id=user.id)
        for role in roles:
            session.add(UserRole(user_id=user.id, role=role, granted_by=None, created_at=now))
            security_events.record(
                session, EventKind.ROLE_GRANTED, device, user_id=user.id, detail=role
            )
    return user
