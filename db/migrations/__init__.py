"""The history of the tables, and how a database is brought up to date. Alembic does the work."""

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

# Any number will do that nothing else in the database takes a lock by.
_LOCK = 7_340_201

# The newest of the scripts, so that nobody has to read them to find out that there is nothing to do.
HEAD = "0003"

_scripts = Path(__file__).parent


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the tables up to date, all the way or not at all. Safe when several processes do it at once."""
    if engine.dialect.name == "sqlite":
        _open(engine.url.database or "")
    async with engine.connect() as connection:
        if not await connection.run_sync(is_current):
            await connection.rollback()
            await connection.run_sync(
                _upgrade_sqlite if engine.dialect.name == "sqlite" else _upgrade_postgresql
            )


def is_current(connection: Connection) -> bool:
    """Whether the tables are those that this code was written for."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version == HEAD


def _open(path: str) -> None:
    """Raises OperationalError for a file that cannot be opened. aiosqlite would raise it too, and leave a thread behind
    that writes a traceback of its own when the event loop has closed by then."""
    try:
        sqlite3.connect(path).close()
    except sqlite3.OperationalError as error:
        raise OperationalError(None, None, error) from None


def _upgrade_postgresql(connection: Connection) -> None:
    with connection.begin():
        # Whoever comes second waits here, and then finds the work done.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _run(connection)


def _upgrade_sqlite(connection: Connection) -> None:
    # To alter a table, Alembic copies it and drops the old one, which would take along every row that refers to it.
    # SQLite listens to this only outside a transaction; the lock comes with the transaction.
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys = OFF")
    try:
        with connection.begin():
            _run(connection)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("A migration has left rows that refer to nothing.")
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


def _run(connection: Connection) -> None:
    # Here, as it takes a tenth of the start, and on most there is nothing to do.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_scripts))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
