"""The passkeys that users have: list, rename and remove them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import Passkey
from domain import security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.authentication.factors import require_one_left
from domain.authentication.reauthentication import lock_proved, prove
from domain.authentication.ways_in import require_another_way_in
from domain.devices import Device
from domain.errors import NotFound, raise_invalid
from domain.mail.templates import Template
from domain.security_events import EventKind
from domain.security_notices import notify
from domain.services import Services
from domain.text import is_blank, is_one_line

#: For each user. This bounds what a list of them costs, and the options for a browser.
MAX_PASSKEYS = 20

MAX_NAME_LENGTH = 100


async def passkeys_of(
    session: AsyncSession, user_ids: Collection[UUID]
) -> dict[UUID, list[Passkey]]:
    """Return the passkeys of users, the oldest first, by the user's id."""
    by_user: dict[UUID, list[Passkey]] = {user_id: [] for user_id in user_ids}
    found = await session.scalars(
        select(Passkey).where(Passkey.user_id.in_(by_user)).order_by(Passkey.id)
    )
    for passkey in found:
        by_user[passkey.user_id].append(passkey)
    return by_user


@retried
async def rename_passkey(
    services: Services, device: Device, caller: Caller, passkey_id: UUID, *, name: str
) -> Passkey:
    """Rename a passkey of the caller. Raises InvalidInput, NotFound, TooManyAttempts or
    SessionEnded."""
    raise_invalid(name=name_problems(name))
    # Read first: made-up ids must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        await sessions.require_active(session, caller, as_owner=True)
        await _own(session, caller, passkey_id)
    await services.rate_limiter.hit(services.rate_limiter.limits.write, str(caller.user_id))
    async with services.database.writing() as session:
        await sessions.lock_active(session, caller)
        passkey = await _own(session, caller, passkey_id)
        passkey.name = name
    return passkey


@retried
async def remove_passkey(
    services: Services, device: Device, caller: Caller, passkey_id: UUID
) -> UUID:
    """Remove a passkey of the caller, and return its id. The last one stays while the account has
    no password: a mailed code is a way back in, and none to live with.

    Raises ReauthenticationRequired, NotFound, InvalidInput or SessionEnded.
    """
    proof = await prove(services, device, caller)
    async with services.database.reading() as session:
        await _own(session, caller, passkey_id)
    async with services.database.writing() as session:
        user, current = await lock_proved(session, services, caller, proof)
        passkey = await _own(session, caller, passkey_id)
        await session.delete(passkey)
        await require_another_way_in(session, user)
        await require_one_left(session, services, user.id)
        security_events.record_in(session, EventKind.PASSKEY_REMOVED, device, current)
        values = {"passkey": passkey.name}
        await notify(session, services, device, Template.PASSKEY_REMOVED, user, values=values)
    return passkey_id


def name_problems(name: str) -> list[str]:
    if len(name) > MAX_NAME_LENGTH or is_blank(name) or not is_one_line(name):
        return [
            f"A name must have 1 to {MAX_NAME_LENGTH} characters on one line and must not be blank."
        ]
    return []


async def _own(session: AsyncSession, caller: Caller, passkey_id: UUID) -> Passkey:
    passkey: Passkey | None = await session.scalar(
        select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == caller.user_id)
    )
    if passkey is None:
        raise NotFound("You have no passkey with this id.")
    return passkey
