"""Migrations, run by Alembic."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

# Any number that nothing else in the database uses for a lock.
_LOCK = 7_340_201

# The newest revision, so that checking for it does not read all scripts.
HEAD = "0004"

_scripts = Path(__file__).parent


async def upgrade(engine: AsyncEngine) -> None:
    """Migrate to the newest revision, or on an error not at all. Several processes may do so at the
    same time."""
    if engine.dialect.name == "sqlite":
        _open(engine.url.database or "")
    async with engine.connect() as connection:
        if not await connection.run_sync(is_current):
            await connection.rollback()
            await connection.run_sync(
                _upgrade_sqlite if engine.dialect.name == "sqlite" else _upgrade_postgresql
            )


def is_current(connection: Connection) -> bool:
    """Return whether the tables have the revision that this code needs."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version == HEAD


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


def _upgrade_postgresql(connection: Connection) -> None:
    with connection.begin():
        # A second process waits here and then finds nothing to do.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _run(connection)


def _upgrade_sqlite(connection: Connection) -> None:
    # To alter a table, Alembic copies it and drops the old one, which would delete every row that
    # refers to it. SQLite changes this setting only outside a transaction; the lock comes with the
    # transaction.
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    try:
        with connection.begin():
            _run(connection)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("A migration left rows with broken foreign keys.")
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def _run(connection: Connection) -> None:
    # Imported here: it takes a tenth of the start, and usually there is nothing to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_scripts))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
