"""Migrations, run by Alembic."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    String,
    Table,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

# Any number that nothing else in the database uses for a lock.
_LOCK = 7_340_201

# The newest revision, so that checking for it does not read all scripts.
HEAD = "0012"


def _version_table(name: str) -> Table:
    return Table(name, MetaData(), Column("version_num", String(32), primary_key=True))


# The table of the revision has a name of its own, so that other programs that use Alembic can share
# the database.
VERSION_TABLE = "gatehouse_version"
_VERSION = _version_table(VERSION_TABLE)
_FORMER = _version_table("alembic_version")

_scripts = Path(__file__).parent


class SchemaMismatch(Exception):
    """The database has another schema than this code needs."""


async def upgrade(engine: AsyncEngine) -> None:
    """Migrate to the newest revision, or on an error not at all. Several processes may do so at the
    same time. Raises SchemaMismatch if the database is newer than this code."""
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
    return _revision(connection) == HEAD


def require_current(connection: Connection) -> None:
    """Raise SchemaMismatch unless the tables have the revision that this code needs."""
    revision = _revision(connection)
    if revision != HEAD:
        _require_known(revision)
        raise SchemaMismatch("The database's schema is not up to date: run `gatehouse migrate`.")


def require_known(connection: Connection) -> None:
    """Raise SchemaMismatch if the revision of the tables is not one of this code."""
    _require_known(_revision(connection))


def _require_known(revision: str | None) -> None:
    known = {script.name.partition("_")[0] for script in _scripts.glob("versions/*.py")}
    if revision is not None and revision not in known:
        raise SchemaMismatch(
            f"The database is newer than this program: it has the schema {revision}, and this"
            f" program knows those up to {HEAD}. Install the newer release again."
        )


def rename_version_table(connection: Connection) -> None:
    """Move the revision from ``alembic_version``, where earlier code kept it.

    A new table: a renamed one would keep the name of its primary key, which the ``alembic_version``
    of another program needs.
    """
    if not _has_former_version_table(connection):
        return
    _VERSION.create(connection)
    connection.execute(_VERSION.insert().from_select(["version_num"], select(_FORMER)))
    _FORMER.drop(connection)


def _revision(connection: Connection) -> str | None:
    if inspect(connection).has_table(_VERSION.name):
        return connection.scalar(select(_VERSION.c.version_num))
    if _has_former_version_table(connection):
        return connection.scalar(select(_FORMER.c.version_num))
    return None


def _has_former_version_table(connection: Connection) -> bool:
    """Return whether there is an ``alembic_version`` that belongs to Gatehouse, and not to another
    program: Gatehouse's first migration made the users with their keys."""
    tables = inspect(connection)
    return (
        not tables.has_table(_VERSION.name)
        and tables.has_table(_FORMER.name)
        and tables.has_table("users")
        and any(column["name"] == "username_key" for column in tables.get_columns("users"))
    )


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

    require_known(connection)
    config = Config()
    config.set_main_option("script_location", str(_scripts))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
