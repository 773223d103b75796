"""The database: sessions to read and to write with, the same on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from functools import wraps
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
)
from sqlalchemy.pool import Pool

from db import sqlite
from db.connection_queue import ConnectionQueue
from db.engine import CONNECTIONS, create_engine
from db.errors import is_conflict, is_standby, reason
from db.replica import MAX_LAG, Replica, ReplicaNotRead, read_position
from db.shared_runs import SharedRuns

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
    committed at the end of the block. ``await database.read_from_replica(query)`` reads what may be
    behind by a moment.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        info: Mapping[str, Any] = MappingProxyType({}),
        *,
        replica: Replica | None = None,
    ) -> None:
        """Open sessions of an engine. Each transaction has a copy of ``info`` in `session.info`."""
        self._engine = engine
        self.replica = replica
        self._measurements = SharedRuns(self._measure_replica)
        # Without a transaction, a read saves PostgreSQL two round trips and never waits for
        # SQLite's single writer. Reads have their own connections: switching one back and forth
        # takes a fifth of a read, two fifths on SQLite.
        # With a replica there is one more, so that its measurements do not wait for queries.
        connections = CONNECTIONS + (replica is not None)
        self._for_reads = create_engine(engine.url, to_read=True, connections=connections)
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
    def engines(self) -> tuple[AsyncEngine, ...]:
        """The engine that reads, the engine that writes, and those of the replica's hosts."""
        return self._for_reads, self._engine, *(self.replica.engines if self.replica else ())

    @property
    def queues(self) -> Mapping[str, ConnectionQueue]:
        """The queues by what they are for: ``read``, ``write`` and ``replica``."""
        queues = {"read": self._readers, "write": self._writers}
        return queues | ({"replica": self.replica.queue} if self.replica else {})

    @property
    def read_pool(self) -> Pool:
        """The connections that read, of which one may be kept for the next piece of work only while
        this is the pool it was taken from. Another takes its place when a standby was found."""
        return self._for_reads.pool

    async def close(self) -> None:
        await self._measurements.close()
        for engine in self.engines:
            await engine.dispose()

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

    async def read(self, query: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        """Run a query as in `reading`."""
        async with self.reading() as session:
            return await query(session)

    async def read_from_replica(self, query: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        """Read what may be behind by a moment: on the replica if there is one that is usable, and
        on the primary otherwise. A query that fails on the replica runs again on the primary."""
        if self.replica is not None:
            with suppress(ReplicaNotRead):
                return await self.replica.read(query)
        return await self.read(query)

    async def read_rows_from_replica(
        self, query: Callable[[AsyncConnection], Awaitable[Result]]
    ) -> Result:
        """Read as in `read_from_replica`, without a session of the ORM."""
        if self.replica is not None:
            with suppress(ReplicaNotRead):
                return await self.replica.read_rows(query)
        async with self.connecting() as connection:
            return await query(connection)

    async def wait_for_replica(self) -> None:
        """Wait until the replica shows all that is committed by now. One that takes longer than
        ``MAX_LAG`` or fails is not read until this has succeeded. Raises nothing.

        Those who wait at the same time share a measurement, however many write.
        """
        if self.replica is not None:
            await self._measurements.wait()

    async def _measure_replica(self) -> None:
        assert self.replica is not None
        try:
            async with (
                asyncio.timeout(MAX_LAG.total_seconds()),
                self._for_reads.connect() as connection,
            ):
                position = await read_position(connection)
        except (SQLAlchemyError, OSError) as error:
            # How far it is behind cannot be known.
            self.replica.stop(f"the primary: {reason(error) or 'it does not respond'}")
        else:
            await self.replica.wait_for(position)

    @asynccontextmanager
    async def writing(self, *, to_replica: bool = False) -> AsyncIterator[AsyncSession]:
        """Open a transaction. One that is ``to_replica`` changes what `read_from_replica` reads: it
        ends when the replica shows it, so that its user finds it there, by any process."""
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
        if to_replica and self.replica is not None and self.replica.is_usable:
            await self.wait_for_replica()

    def require_same_file(self) -> None:
        """Raise OperationalError if the SQLite file is not the one that is open. Each new piece of
        work does so; one that keeps its connection for the next does it itself."""
        if self._file:
            self._file.require_same()


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
