"""Locks by number, which belong to no row."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

#: Of a migration, of a batch of `domain.retention`, and of the indexes that are created ahead of a
#: migration. Any numbers that nothing else in the database uses for a lock.
MIGRATION = 7_340_201
RETENTION = 7_340_202
INDEXES = 7_340_203


async def try_lock(connection: AsyncConnection, number: int) -> bool:
    """Lock a number until the end of the transaction, and return whether it was free.

    SQLite has one writer, to which every number is free.
    """
    if connection.dialect.name == "sqlite":
        return True
    is_free = await connection.scalar(select(func.pg_try_advisory_xact_lock(number)))
    return bool(is_free)
