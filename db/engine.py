"""Engines: how each connection is opened and prepared, the same to its users on SQLite and on
PostgreSQL."""

import sqlite3
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from db import sqlite
from db.urls import has_several_hosts, with_async_driver

# How long to wait for a connection or for a lock of SQLite before the database counts as not
# available. With longer waits, requests would pile up behind a dead database.
TIMEOUT = timedelta(seconds=5)

# The maximum for each worker to read with, and as many again to write with.
CONNECTIONS = 10


def create_engine(
    database_url: str | URL,
    *,
    to_read: bool = False,
    may_be_standby: bool = False,
    connections: int = CONNECTIONS,
    time_limit: timedelta | None = TIMEOUT,
) -> AsyncEngine:
    """Create an engine for ``sqlite:///path``, or for ``postgresql://...`` as a provider gives it.

    An engine ``to_read`` uses no transactions. A standby is refused, unless the engine says
    otherwise. On PostgreSQL, work that holds a connection for
    longer than ``time_limit`` loses it. Opens no connection yet. Raises ValueError, without the
    URL's password, for a URL that cannot be used.
    """
    url = with_async_driver(database_url)
    is_postgres = url.get_backend_name() == "postgresql"
    if is_postgres:
        # Imported here: psycopg takes a tenth of a second, and SQLite does not need it.
        from db import postgres
    engine = create_async_engine(
        url,
        hide_parameters=True,
        # No overflow: such a connection would be opened for a single piece of work and closed
        # again.
        pool_size=connections,
        max_overflow=0,
        pool_timeout=TIMEOUT.total_seconds(),
        connect_args=postgres.connect_args(TIMEOUT, may_be_standby=may_be_standby)
        if is_postgres
        else {"async_creator_fn": sqlite.connect},
        # There is nothing to roll back after a read.
        **({"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None} if to_read else {}),
    )
    if is_postgres:
        postgres.discard_closed(engine.sync_engine)
        postgres.keep_what_is_usable(engine.sync_engine)
        if time_limit:
            postgres.limit_checkout_time(engine.sync_engine, time_limit)
            if has_several_hosts(url):
                postgres.leave_replaced_server(engine.sync_engine)
        return engine
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    if not to_read:
        event.listen(engine.sync_engine, "begin", _begin_immediately)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(TIMEOUT.total_seconds() * 1000)}")
    # Locked means that another connection is switching the file to WAL at this moment, which is all
    # that is needed.
    with suppress(sqlite3.OperationalError):
        cursor.execute("PRAGMA journal_mode = WAL")
    # Commits survive a power failure. With NORMAL, WAL may lose the last transactions.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # In KiB, of each connection. The system keeps the file in memory too, once for all of them.
    cursor.execute("PRAGMA cache_size = -1024")
    cursor.close()


def _begin_immediately(connection: Connection) -> None:
    """Take the write lock when a transaction begins, not when it first writes.

    A transaction that reads first and writes later would otherwise fail, or overwrite what another
    process wrote in between.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")
