"""The ways to sign in that an account has of its own. A code by mail is not one of them: mailboxes
change hands."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Identity, Passkey, User
from domain.errors import InvalidInput
from domain.services import Services

LAST_WAY_IN = "You could not sign in any more. Set a password or add another way to sign in first."


async def require_another_way_in(session: AsyncSession, services: Services, user: User) -> None:
    """Raise InvalidInput, which undoes the transaction, unless the account still has a password, a
    passkey or an identity of a provider in the settings. Call it after the removal."""
    if user.password_hash is not None:
        return
    passkeys = select(Passkey.id).where(Passkey.user_id == user.id)
    identities = select(Identity.id).where(
        Identity.user_id == user.id, Identity.provider.in_(services.providers)
    )
    for others in (passkeys, identities):
        if await session.scalar(others.limit(1)):
            return
    raise InvalidInput(LAST_WAY_IN, fields={"id": [LAST_WAY_IN]})
