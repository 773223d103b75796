"""The database, the same to its callers on SQLite and on PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.pool import ConnectionPoolEntry

from db import sqlite

# How long a caller waits for a connection or for a lock of SQLite before it is told that the database is away.
# Longer, and requests pile up behind a dead database.
PATIENCE = timedelta(seconds=5)

# The most of each worker, to read and as many again to write.
CONNECTIONS = 10

# The SQLSTATE of a PostgreSQL that is a standby, as in the middle of a failover.
_READ_ONLY = "25006"


class Database:
    """Makes sessions, each for one short piece of work.

    ``async with database.reading() as session:`` to read: every statement stands alone and sees what is committed by then.
    ``async with database.writing() as session:`` to write: one transaction, committed at the end of the block.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Without a transaction around them, reads save PostgreSQL two round trips each and never wait for SQLite's one
        # writer. On connections of their own, as to switch one over and back takes a fifth of a read, two fifths on SQLite.
        self._for_reads = create_engine(engine.url, to_read=True)
        self._read = async_sessionmaker(self._for_reads, expire_on_commit=False)
        self._write = async_sessionmaker(engine, expire_on_commit=False)
        self._readers = Turns(CONNECTIONS)
        # SQLite's writers wait here for one another.
        self._writers = Turns(1 if engine.dialect.name == "sqlite" else CONNECTIONS)

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """The one that reads, and the one that writes."""
        return self._for_reads, self._engine

    @property
    def turns(self) -> Mapping[str, "Turns"]:
        """Who is at it now, and who waits to be."""
        return {"read": self._readers, "write": self._writers}

    async def close(self) -> None:
        await self._for_reads.dispose()
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        async with self._readers, self._read() as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with self._writers, self._write.begin() as session:
            yield session


class Turns:
    """As many at a time as there are connections, in the order that they come. (The pool gives a connection to whoever
    comes when one is free: of 64 who read without a pause, some would wait a hundred times as long as others.)"""

    def __init__(self, places: int) -> None:
        self._free = asyncio.Semaphore(places)
        self.taken = 0
        self.waiting = 0

    async def __aenter__(self) -> None:
        """Raises PoolTimeout when there is no turn for so long."""
        self.waiting += 1
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout("everyone else is still at it") from None
        finally:
            self.waiting -= 1
        self.taken += 1

    async def __aexit__(self, *_: object) -> None:
        self.taken -= 1
        self._free.release()


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


async def is_read_only(session: AsyncSession) -> bool:
    """Whether the database is a PostgreSQL that takes no writes: a standby, as in the middle of a failover."""
    if session.get_bind().dialect.name != "postgresql":
        return False
    read_only: str | None = await session.scalar(text("SHOW transaction_read_only"))
    return read_only == "on"


def violated_constraint(error: IntegrityError) -> str | None:
    """The name of the constraint that a statement violated, as the naming convention in ``models`` makes it."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        name: str | None = diagnosis.constraint_name
        return name
    # SQLite says it in words alone: "UNIQUE constraint failed: users.email_key".
    kind, _, columns = str(error.orig).partition(" constraint failed: ")
    return f"uq_{columns.replace('.', '_')}" if kind == "UNIQUE" else None


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot serve anyone now, rather than that a statement is wrong.

    PostgreSQL away shows as any of these, depending on when it went.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # SQLite calls a wrong statement an operational error too, and has a name for each kind.
    if getattr(getattr(error, "orig", None), "sqlite_errorname", None) == "SQLITE_ERROR":
        return False
    if getattr(getattr(error, "orig", None), "sqlstate", None) == _READ_ONLY:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout | ConnectionError)


def reason(error: Exception) -> str:
    """What the driver says of an error that ``is_away``, in a line. (Of other errors it may quote a row.)"""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]
