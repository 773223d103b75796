"""Migrations, run by Alembic."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from db.errors import is_conflict, is_lock_timeout
from db.locks import MIGRATION
from db.migrations.indexes import create_ahead
from db.migrations.version import (
    HEAD,
    REVISIONS,
    SCRIPTS,
    VERSION_TABLE,
    Schema,
    SchemaMismatch,
    read_schema,
)

__all__ = [
    "HEAD",
    "REVISIONS",
    "VERSION_TABLE",
    "DataLoss",
    "Schema",
    "SchemaMismatch",
    "migrate_to",
    "read_schema",
    "upgrade",
]

logger = logging.getLogger("gatehouse")

# Requests wait behind a migration that waits for a lock, for example behind a backup. So it soon
# gives up all its locks, lets them go first, and tries again. At first it waits for less than
# PostgreSQL's `deadlock_timeout`, a second, after which a request that holds what the migration
# waits for would be undone (`db.database.retried` runs it again). Then it waits for longer, or it
# would never get several tables of a busy server.
_LOCK_TIMEOUTS = tuple(timedelta(seconds=seconds) for seconds in (0.25, 0.5, 0.5, 1, *[2] * 30))
_PAUSE = timedelta(seconds=1)


class DataLoss(Exception):
    """A migration would be undone, with the rows and columns that it has added."""


async def upgrade(engine: AsyncEngine) -> Schema:
    """Migrate to the newest revision, or on an error not at all, and return the schema. Several
    processes may do so at the same time.

    On PostgreSQL, indexes of large tables are created before, while requests write to the tables
    (`db.migrations.indexes`). They may be left over after an error, and then change nothing.

    A newer schema on which this code can serve stays as it is. Raises SchemaMismatch for any other.
    """
    async with _connected(engine) as connection:
        schema = await connection.run_sync(read_schema)
        await connection.rollback()
        if schema.is_usable:
            return schema
        await _create_ahead(engine, schema, HEAD)
        return await _migrate(connection, _upgrade)


async def migrate_to(engine: AsyncEngine, revision: str, *, may_lose_data: bool = False) -> Schema:
    """Migrate up or down to one of `REVISIONS`, or on an error not at all, and return the schema.

    Raises SchemaMismatch if the database is newer than this code, and DataLoss if a migration would
    be undone, unless that is accepted.
    """
    change = partial(_move, revision=revision, may_lose_data=may_lose_data)
    async with _connected(engine) as connection:
        schema = await connection.run_sync(read_schema)
        await connection.rollback()
        await _create_ahead(engine, schema, revision)
        return await _migrate(connection, change)


async def _create_ahead(engine: AsyncEngine, schema: Schema, revision: str) -> None:
    if engine.dialect.name == "postgresql":
        await create_ahead(engine, schema, revision)


def _connected(engine: AsyncEngine) -> AsyncConnection:
    if engine.dialect.name == "sqlite":
        _open(engine.url.database or "")
    return engine.connect()


def _open(path: str) -> None:
    """Open an SQLite file, and create a missing one for its owner only. Raises OperationalError for
    a file that cannot be opened. (aiosqlite would raise it too, and leave a thread behind that
    prints a traceback when the event loop has closed.)
    """
    # SQLite gives the files beside it the same mode. It reports what goes wrong here as well.
    with suppress(OSError):
        Path(path).touch(mode=0o600, exist_ok=False)
    try:
        sqlite3.connect(path).close()
    except sqlite3.OperationalError as error:
        raise OperationalError(None, None, error) from None


async def _migrate(connection: AsyncConnection, change: Callable[[Connection], None]) -> Schema:
    if connection.dialect.name == "sqlite":
        return await connection.run_sync(_on_sqlite, change)
    *first, last = _LOCK_TIMEOUTS
    for timeout in first:
        try:
            return await connection.run_sync(_on_postgresql, change, timeout)
        except DBAPIError as error:
            if not (is_lock_timeout(error) or is_conflict(error)):
                raise
        logger.warning("Other transactions use the tables. Trying again.")
        await asyncio.sleep(_PAUSE.total_seconds())
    return await connection.run_sync(_on_postgresql, change, last)


def _on_postgresql(
    connection: Connection, change: Callable[[Connection], None], lock_timeout: timedelta
) -> Schema:
    with connection.begin():
        # A second process waits here and then finds nothing to do.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION})
        milliseconds = int(lock_timeout.total_seconds() * 1000)
        connection.execute(text(f"SET LOCAL lock_timeout = {milliseconds}"))
        change(connection)
        return read_schema(connection)


def _on_sqlite(connection: Connection, change: Callable[[Connection], None]) -> Schema:
    # To alter a table, Alembic copies it and drops the old one, which would delete every row that
    # refers to it. SQLite changes this setting only outside a transaction; the lock comes with the
    # transaction.
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    try:
        with connection.begin():
            change(connection)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("A migration left rows with broken foreign keys.")
            return read_schema(connection)
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def _upgrade(connection: Connection) -> None:
    schema = read_schema(connection)
    if not schema.is_usable:
        schema.require_known()
        _run(connection, HEAD)


def _move(connection: Connection, *, revision: str, may_lose_data: bool) -> None:
    schema = read_schema(connection)
    schema.require_known()
    undone = [each for each in REVISIONS if revision < each <= (schema.revision or "")]
    if undone and not may_lose_data:
        raise DataLoss(
            f"This drops what the migrations {', '.join(undone)} have added, with its data."
        )
    _run(connection, revision, down=bool(undone))


def _run(connection: Connection, revision: str, *, down: bool = False) -> None:
    # Imported here: it takes a tenth of the start, and usually there is nothing to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(config, revision)
