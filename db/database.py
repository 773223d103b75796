"""The database: sessions to read and to write with, the same on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import wraps
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
)
from sqlalchemy.pool import Pool

from db import sqlite
from db.engine import CONNECTIONS, TIMEOUT, create_engine
from db.errors import is_conflict, is_standby

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# A command whose every run ends in a conflict has another reason than bad luck.
MAX_RETRIES = 3

# The key in `session.info` of a transaction that writes to the outbox.
WRITES_OUTBOX = "writes outbox"


class Database:
    """Opens database sessions, each for one short piece of work.

    ``async with database.reading() as session:`` reads outside a transaction: each statement sees
    what is committed by then. ``async with database.writing() as session:`` is one transaction,
    committed at the end of the block.
    """

    def __init__(self, engine: AsyncEngine, info: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Open sessions of an engine. Each transaction has a copy of ``info`` in `session.info`."""
        self._engine = engine
        # Without a transaction, a read saves PostgreSQL two round trips and never waits for
        # SQLite's single writer. Reads have their own connections: switching one back and forth
        # takes a fifth of a read, two fifths on SQLite.
        self._for_reads = create_engine(engine.url, to_read=True)
        self._read = async_sessionmaker(self._for_reads, expire_on_commit=False)
        self._write = async_sessionmaker(engine, expire_on_commit=False, info=dict(info))
        self._readers = ConnectionQueue(CONNECTIONS)
        is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time; the others wait here.
        self._writers = ConnectionQueue(1 if is_sqlite else CONNECTIONS)
        #: Set after the next commit of a message to send, for the background tasks that send it,
        #: and then replaced by a new one.
        self.outbox_written = asyncio.Event()
        self._file = sqlite.File(str(engine.url.database)) if is_sqlite else None

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """The engine that reads and the engine that writes."""
        return self._for_reads, self._engine

    @property
    def queues(self) -> Mapping[str, "ConnectionQueue"]:
        """The queues by what they are for, ``read`` and ``write``."""
        return {"read": self._readers, "write": self._writers}

    @property
    def read_pool(self) -> Pool:
        """The connections that read, of which one may be kept for the next piece of work only while
        this is the pool it was taken from. Another takes its place when a standby was found."""
        return self._for_reads.pool

    async def close(self) -> None:
        await self._for_reads.dispose()
        await self._engine.dispose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        async with self._readers, self._read() as session:
            self.require_same_file()
            yield session

    @asynccontextmanager
    async def connecting(self) -> AsyncIterator[AsyncConnection]:
        """Read as in `reading`, without a session of the ORM, which takes longer than the rest."""
        async with self._readers:
            # A new connection would make an empty file.
            self.require_same_file()
            async with self._for_reads.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        try:
            async with self._writers, self._write.begin() as session:
                self.require_same_file()
                yield session
            if WRITES_OUTBOX in session.info:
                written, self.outbox_written = self.outbox_written, asyncio.Event()
                written.set()
        except DBAPIError as error:
            if is_standby(error):
                # A pooler led here. What the readers have open may lead to the same standby.
                await self._for_reads.dispose()
            raise

    def require_same_file(self) -> None:
        """Raise OperationalError if the SQLite file is not the one that is open. Each new piece of
        work does so; one that keeps its connection for the next does it itself."""
        if self._file:
            self._file.require_same()


class ConnectionQueue:
    """Gives out connections in the order of the requests, as many at a time as there are.

    (SQLAlchemy's pool gives a free connection to the next who asks: of 64 constant readers, some
    would wait a hundred times as long as others.)
    """

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)
        self.in_use = 0
        self.waiting = 0

    async def __aenter__(self) -> None:
        """Wait for a connection. Raises PoolTimeout if none is free within ``TIMEOUT``."""
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        self.in_use += 1

    async def __aexit__(self, *_: object) -> None:
        self.in_use -= 1
        self._free.release()

    async def _wait(self) -> None:
        self.waiting += 1
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout("all connections are in use") from None
        finally:
            self.waiting -= 1


def retried(
    command: Callable[Parameters, Awaitable[Result]],
) -> Callable[Parameters, Coroutine[Any, Any, Result]]:
    """Decorate a command: run it again when PostgreSQL has undone its transaction in favour of a
    concurrent one (a deadlock or a serialization failure).

    Commands take their locks in one order and run at READ COMMITTED, so that they do not do this to
    each other. A migration, an administrator or a trigger can. That is rare, so the whole command
    runs again, with its hashes and its rate limits. It may, because nothing of it is committed.
    """

    @wraps(command)
    async def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        for _ in range(MAX_RETRIES):
            try:
                return await command(*args, **kwargs)
            except DBAPIError as error:
                if not is_conflict(error):
                    raise
        return await command(*args, **kwargs)

    return run
