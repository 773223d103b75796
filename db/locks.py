"""Locks by number, which belong to no row."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

#: Of a migration, of a batch of `domain.retention`, and of the indexes that are created ahead of a
#: migration. Any numbers that nothing else in the database uses for a lock.
MIGRATION = 7_340_201
RETENTION = 7_340_202
INDEXES = 7_340_203


async def try_lock(session: AsyncSession, number: int) -> bool:
    """Lock a number until the end of the transaction, and return whether it was free.

    SQLite has one writer, to which every number is free.
    """
    if session.get_bind().dialect.name == "sqlite":
        return True
    is_free: bool = (
        await session.execute(select(func.pg_try_advisory_xact_lock(number)))
    ).scalar_one()
    return is_free
