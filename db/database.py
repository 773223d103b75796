"""The database: sessions to read and to write with, the same on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from db.engine import CONNECTIONS, PATIENCE, create_engine


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


async def is_read_only(session: AsyncSession) -> bool:
    """Whether the database is a PostgreSQL that takes no writes: a standby, as in the middle of a failover."""
    if session.get_bind().dialect.name != "postgresql":
        return False
    read_only: str | None = await session.scalar(text("SHOW transaction_read_only"))
    return read_only == "on"
