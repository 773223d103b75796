"""What a browser is told of a user's passkeys, so that it offers no others (WebAuthn Level 3,
section 5.1.10.3)."""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Passkey, User


@dataclass(slots=True)
class AcceptedPasskeys:
    """The passkeys of a user, by what their devices know: the handle and the ids."""

    handle: bytes
    credential_ids: list[bytes] = field(default_factory=list)


async def accepted_passkeys_of(
    session: AsyncSession, user_ids: Collection[UUID]
) -> dict[UUID, AcceptedPasskeys]:
    """Return the accepted passkeys of users, by the user's id. A user who has never begun to add
    one is left out."""
    found = await session.execute(
        select(User.id, User.webauthn_handle, Passkey.credential_id)
        .outerjoin(Passkey, Passkey.user_id == User.id)
        .where(User.id.in_(user_ids))
        .order_by(Passkey.id)
    )
    by_user: dict[UUID, AcceptedPasskeys] = {}
    for user_id, handle, credential_id in found:
        if handle is None:
            continue
        accepted = by_user.setdefault(user_id, AcceptedPasskeys(handle))
        if credential_id is not None:
            accepted.credential_ids.append(credential_id)
    return by_user
