"""Addresses that a mail server does not know. Nothing is sent to them until they change."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database, retried
from db.models import User
from domain import emails


@retried
async def mark_undeliverable(database: Database, address: str) -> bool:
    """Record that there is no such mailbox. Return whether an account has the address."""
    async with database.writing() as session:
        ids = await session.scalars(
            update(User)
            .where(User.email_key == emails.key(address))
            .values(email_undeliverable_at=datetime.now(UTC))
            .returning(User.id)
            .execution_options(synchronize_session=False)
        )
        return bool(ids.all())


async def undeliverable_among(session: AsyncSession, keys: Collection[str]) -> set[str]:
    """Return the keys of the addresses that are marked."""
    found = await session.scalars(
        select(User.email_key).where(
            User.email_key.in_(keys), User.email_undeliverable_at.is_not(None)
        )
    )
    return set(found)
