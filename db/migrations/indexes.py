"""Indexes of large tables, created on PostgreSQL while requests write to the tables.

In a transaction, PostgreSQL would let nothing be written until the index is complete, which takes a
minute for twenty million rows. So a migration names the indexes that it makes (``created_ahead``),
they are created before its transaction, and the migration creates what is not there then: all of
them in a new database and on SQLite.
"""

import asyncio
import logging
from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.errors import is_undefined
from db.locks import INDEXES, try_lock
from db.migrations.version import REVISIONS, SCRIPTS, Schema

logger = logging.getLogger("gatehouse")

# While another process creates them, which may take minutes.
_PAUSE_SECONDS = 0.5

_IS_VALID = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


async def create_ahead(engine: AsyncEngine, schema: Schema, revision: str) -> None:
    """Create the indexes of the migrations up to a revision, where their columns exist."""
    pending = list(_pending(schema, revision))
    while pending:
        # No process may wait for this lock inside PostgreSQL: an index is complete only when every
        # statement has ended that ran before.
        async with engine.begin() as lock:
            if await try_lock(lock, INDEXES):
                # This also ends the snapshot of the lock, for which an index would wait.
                await lock.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                # PostgreSQL does this outside of transactions only.
                async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as own:
                    for index in pending:
                        await _create(own, *index)
                return
        await asyncio.sleep(_PAUSE_SECONDS)


async def _create(connection: AsyncConnection, name: str, table: str, columns: str) -> None:
    if await connection.scalar(_IS_VALID, {"name": name}):
        return
    logger.info("Creating the index %s.", name)
    # What a process has left that was interrupted.
    await connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {name}"))
    try:
        await connection.execute(text(f"CREATE INDEX CONCURRENTLY {name} ON {table} {columns}"))
    except DBAPIError as error:
        # A migration before, which is pending too, adds the table or a column.
        if not is_undefined(error):
            raise


def _pending(schema: Schema, revision: str) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the table and the columns of each index."""
    if schema.revision is None:
        return
    # Imported here: it takes a tenth of the start, and usually there is nothing to do.
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(SCRIPTS))
    for each in REVISIONS:
        if schema.revision < each <= revision:
            yield from getattr(scripts.get_revision(each).module, "created_ahead", ())
