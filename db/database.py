"""The database: sessions to read and to write with, the same on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db.engine import CONNECTIONS, TIMEOUT, create_engine


class Database:
    """Opens database sessions, each for one short piece of work.

    ``async with database.reading() as session:`` reads outside a transaction: each statement sees
    what is committed by then. ``async with database.writing() as session:`` is one transaction,
    committed at the end of the block.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # Without a transaction, a read saves PostgreSQL two round trips and never waits for
        # SQLite's single writer. Reads have their own connections: switching one back and forth
        # takes a fifth of a read, two fifths on SQLite.
        self._for_reads = create_engine(engine.url, to_read=True)
        self._read = async_sessionmaker(self._for_reads, expire_on_commit=False)
        self._write = async_sessionmaker(engine, expire_on_commit=False)
        self._readers = ConnectionQueue(CONNECTIONS)
        # SQLite has one writer at a time; the others wait here.
        self._writers = ConnectionQueue(1 if engine.dialect.name == "sqlite" else CONNECTIONS)

    @property
    def engines(self) -> tuple[AsyncEngine, AsyncEngine]:
        """The engine that reads and the engine that writes."""
        return self._for_reads, self._engine

    @property
    def queues(self) -> Mapping[str, "ConnectionQueue"]:
        """The queues by what they are for, ``read`` and ``write``."""
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
        self.waiting += 1
        try:
            async with asyncio.timeout(TIMEOUT.total_seconds()):
                await self._free.acquire()
        except TimeoutError:
            raise PoolTimeout("all connections are in use") from None
        finally:
            self.waiting -= 1
        self.in_use += 1

    async def __aexit__(self, *_: object) -> None:
        self.in_use -= 1
        self._free.release()


async def is_read_only(session: AsyncSession) -> bool:
    """Return whether the database is a PostgreSQL standby, as during a failover."""
    if session.get_bind().dialect.name != "postgresql":
        return False
    read_only: str | None = await session.scalar(text("SHOW transaction_read_only"))
    return read_only == "on"
