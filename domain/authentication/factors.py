"""Factors: what a user can prove who they are with, besides a password."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Identity, Passkey, RecoveryCode, TotpFactor, User
from domain import tickets
from domain.errors import InvalidInput
from domain.services import Services
from domain.tickets import TicketKind

_TICKETS = (
    TicketKind.SECOND_FACTOR,
    TicketKind.TOTP_SETUP,
    TicketKind.PASSKEY_SETUP,
)


_LAST = (
    "This server requires a second factor, and this is your only one. Add a passkey or an"
    " authenticator app first. A new app replaces the former one."
)


class SecondFactor(StrEnum):
    """What completes a sign-in whose first factor was right."""

    TOTP = "TOTP"
    RECOVERY_CODE = "RECOVERY_CODE"
    #: By a sign-in with it, which is both factors.
    PASSKEY = "PASSKEY"


@dataclass(frozen=True, slots=True)
class Factors:
    """The factors of one user."""

    totp: bool = False
    recovery_codes_left: int = 0
    passkeys: int = 0

    @property
    def second(self) -> list[SecondFactor]:
        """What can complete a sign-in, or nothing if none is due: a passkey alone makes no password
        insufficient."""
        if not self.totp:
            return []
        found = [SecondFactor.TOTP]
        if self.recovery_codes_left:
            found.append(SecondFactor.RECOVERY_CODE)
        if self.passkeys:
            found.append(SecondFactor.PASSKEY)
        return found


# Built once, for every sign-in.
_FACTORS = select(
    User.id,
    *(
        select(func.count())
        .select_from(model)
        .where(model.user_id == User.id, *conditions)
        .scalar_subquery()
        for model, conditions in (
            (TotpFactor, ()),
            (RecoveryCode, (RecoveryCode.used_at.is_(None),)),
            (Passkey, ()),
        )
    ),
).where(User.id.in_(bindparam("user_ids", expanding=True)))


async def factors_of(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, Factors]:
    """Return the factors of users, by the user's id. A user who was deleted meanwhile has none."""
    rows = await session.execute(_FACTORS, {"user_ids": list(user_ids)})
    found = {row[0]: Factors(bool(row[1]), row[2], row[3]) for row in rows}
    return {user_id: found.get(user_id, Factors()) for user_id in user_ids}


async def factors_of_one(session: AsyncSession, user_id: UUID) -> Factors:
    return (await factors_of(session, [user_id]))[user_id]


async def remove_totp(session: AsyncSession, user_id: UUID) -> int:
    """Remove a user's authenticator app with the recovery codes, and return 1 if there was one.
    Sign-ins that wait for a code of it must begin again."""
    await tickets.discard(session, user_id, _TICKETS)
    await _delete(session, RecoveryCode, RecoveryCode.user_id == user_id)
    return await _delete(session, TotpFactor, TotpFactor.user_id == user_id)


async def remove_all(session: AsyncSession, user_id: UUID) -> int:
    """Remove a user's authenticator app, recovery codes and passkeys. Return how many of the apps
    and passkeys there were."""
    passkeys = await _delete(session, Passkey, Passkey.user_id == user_id)
    return passkeys + await remove_totp(session, user_id)


async def require_one_left(session: AsyncSession, services: Services, user_id: UUID) -> None:
    """Raise InvalidInput if the server requires a second factor and the user has removed the last:
    sessions that were proven with it would go on as before."""
    if services.requires_second_factor and await factors_of_one(session, user_id) == Factors():
        raise InvalidInput(_LAST)


async def deniable(session: AsyncSession, user_id: UUID) -> list[UUID]:
    """Return the ids of the factors that an owner can deny to have added: those that notices name
    whose links still work."""
    notices = await tickets.usable(session, TicketKind.ACCOUNT_SECURITY, [user_id])
    return [UUID(notice.state["added"]) for notice in notices if "added" in notice.state]


async def remove_denied(session: AsyncSession, user_id: UUID, added: Collection[UUID]) -> None:
    """Remove the factors of a user that have these ids."""
    for model in (Passkey, Identity):
        await _delete(session, model, model.user_id == user_id, model.id.in_(added))
    app = await session.scalar(select(TotpFactor.id).where(TotpFactor.user_id == user_id))
    if app in added:
        await remove_totp(session, user_id)


async def _delete(
    session: AsyncSession,
    model: type[TotpFactor | RecoveryCode | Passkey | Identity],
    *conditions: ColumnElement[bool],
) -> int:
    deleted = await session.execute(
        delete(model)
        .where(*conditions)
        .returning(model.user_id)
        .execution_options(synchronize_session=False)
    )
    return len(deleted.all())
