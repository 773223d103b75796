"""Engines: how each connection is opened and prepared, the same to its users on SQLite and on PostgreSQL."""

import sqlite3
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from db import sqlite

# How long a caller waits for a connection or for a lock of SQLite before it is told that the database is away.
# Longer, and requests pile up behind a dead database.
PATIENCE = timedelta(seconds=5)

# The most of each worker, to read and as many again to write.
CONNECTIONS = 10


def create_engine(
    database_url: str | URL, *, to_read: bool = False, time_limit: timedelta | None = PATIENCE
) -> AsyncEngine:
    """An engine for ``sqlite:///path`` or for ``postgresql://...`` as a provider gives it; one to read with knows no
    transactions. On PostgreSQL a piece of work that has a connection for longer than the limit loses it.

    Connects to nothing yet. Raises ValueError, without the URL's password, for a URL that cannot be used.
    """
    url = _with_async_driver(database_url)
    is_postgres = url.get_backend_name() == "postgresql"
    if is_postgres:
        # Imported where it is needed: psycopg takes a tenth of a second, and SQLite needs none.
        from db import postgres
    engine = create_async_engine(
        url,
        hide_parameters=True,
        # Of one number: one more would be opened for a single piece of work, and closed again.
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=PATIENCE.total_seconds(),
        connect_args=postgres.connect_args(PATIENCE)
        if is_postgres
        else {"async_creator_fn": sqlite.connect},
        # There is nothing to roll back after a read.
        **({"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None} if to_read else {}),
    )
    if is_postgres:
        postgres.refuse_what_has_ended(engine.sync_engine)
        if time_limit:
            postgres.end_what_takes_longer(engine.sync_engine, time_limit)
        return engine
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    if not to_read:
        event.listen(engine.sync_engine, "begin", _begin_immediately)
    return engine


def _with_async_driver(database_url: str | URL) -> URL:
    try:
        url = make_url(database_url)
        # What the driver would do with it, and stumble over at each connection.
        (url.host or "").encode("idna")
    except (ArgumentError, ValueError):
        raise ValueError("DATABASE_URL is no database URL; see .env.example.") from None
    match url.get_backend_name():
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+psycopg")
        case "sqlite" if url.database in (None, "", ":memory:"):
            raise ValueError(
                "DATABASE_URL must name a file: every connection to an SQLite database in memory sees its own."
            )
        case "sqlite" if url.query or str(url.database).startswith("file:"):
            raise ValueError(
                "DATABASE_URL must name an SQLite file by its path, without parameters."
            )
        case "sqlite":
            return url.set(drivername="sqlite+aiosqlite")
        case _:
            raise ValueError("DATABASE_URL must begin with sqlite:/// or postgresql://.")


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(PATIENCE.total_seconds() * 1000)}")
    # Locked means that another connection is switching at this moment: the mode is the file's, and holds here as well.
    with suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode = WAL")
    # What is committed survives a power cut too; NORMAL may lose the last transactions under WAL.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_immediately(connection: Connection) -> None:
    """Take the write lock when a transaction begins, not when it first writes.

    A transaction that reads first and writes later would otherwise fail, or overwrite what another process
    has written in between.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")
