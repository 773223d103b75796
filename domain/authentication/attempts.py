"""Attempts to sign in to an account: how the rate limits count them."""

from uuid import UUID

from sqlalchemy import bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, User
from domain.devices import Device

#: Whether a user has started a session from the ``network``, in a statement that selects users.
KNOWS_NETWORK = exists().where(
    LoginSession.user_id == User.id,
    LoginSession.network == bindparam("network"),
    LoginSession.impersonator_id.is_(None),
)


def counted_as(identifier: str, device: Device, *, knows_network: bool) -> tuple[str, ...]:
    """Return the key that an attempt is counted by.

    Attempts on an account are counted together for all networks that its owner has not signed in
    from, and separately for each network that they have: guessing elsewhere cannot lock owners out.
    """
    return ("known", identifier, device.network) if knows_network else ("new", identifier)


_KNOWN = select(User.id).where(User.id == bindparam("id"), KNOWS_NETWORK)


async def knows_network(session: AsyncSession, user_id: UUID | None, device: Device) -> bool:
    """Return whether a user has started a session from the device's network. For no user, the
    statement is the same."""
    known = await session.scalar(_KNOWN, {"id": user_id, "network": device.network})
    return known is not None
