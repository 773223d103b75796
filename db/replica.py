"""A replica: a standby of PostgreSQL that is read in place of the primary, for what may be behind
by a moment.

How far it is behind is measured by positions in the log of the primary, and by no clock: the time
of the last transaction grows on an idle primary, and a standby that is cut off from its primary has
replayed all that it has received.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from db.connection_queue import ConnectionQueue
from db.engine import CONNECTIONS, create_engine
from db.errors import is_away, is_conflict, reason
from db.urls import each_host, with_async_driver

Result = TypeVar("Result")

logger = logging.getLogger("gatehouse")

# A replica that shows later than this what the primary has committed is not read.
MAX_LAG = timedelta(seconds=1)

# How often that is measured. What is read is at most three seconds old: one between two
# measurements, and one that each of them may take.
MEASURE_EVERY = timedelta(seconds=1)

# One more than queries use, so that measurements do not wait for them.
CONNECTIONS_PER_WORKER = CONNECTIONS + 1

# How long a query may take on the replica before the primary is read.
READ_TIMEOUT = timedelta(milliseconds=750)

# PostgreSQL 15 cannot wait for a position. It is looked for after 2 ms, 4 ms and so on.
_FIRST_PAUSE = timedelta(milliseconds=2)
_LONGEST_PAUSE = timedelta(milliseconds=50)

_READ_POSITION = text(
    "SELECT system_identifier, current_database() AS name,"
    " CAST(pg_current_wal_lsn() AS text) AS written FROM pg_control_system()"
)

_COMPARE = text(
    "SELECT pg_is_in_recovery() AS is_standby,"
    " system_identifier = :system_identifier AND current_database() = :name AS is_same,"
    " pg_last_wal_replay_lsn() >= CAST(:written AS pg_lsn) AS has_it FROM pg_control_system()"
)


class ReplicaNotRead(Exception):
    """The replica cannot be read at this moment."""


class Unusable(Exception):
    """The replica has been left, or is no standby of the primary."""


class Replica:
    """Reads on the first host of a URL that is a standby of the primary and not behind.

    One host is read at a time: it is the one that was measured.
    """

    def __init__(self, database_url: str) -> None:
        """Create the engines. Raises ValueError, without the password, for a URL that cannot be
        used. Opens no connection yet."""
        self._hosts = deque(
            create_engine(
                url, to_read=True, may_be_standby=True, connections=CONNECTIONS_PER_WORKER
            )
            for url in each_host(with_async_driver(database_url))
        )
        self.queue = ConnectionQueue(CONNECTIONS)
        #: Whether the last measurement has found it well, and no query has failed since.
        self.is_usable = False
        #: How many queries were read on the primary instead.
        self.fallbacks = 0
        self._logged: bool | None = None
        self._lag = 0.0
        self._was_current_at = time.monotonic()

    @property
    def engines(self) -> tuple[AsyncEngine, ...]:
        return tuple(self._hosts)

    @property
    def lag(self) -> float:
        """The seconds that it took to show what the primary had committed, or since it last
        did."""
        return self._lag if self.is_usable else time.monotonic() - self._was_current_at

    async def read(self, query: Callable[[AsyncSession], Awaitable[Result]]) -> Result:
        """Run a query in a session. Raises ReplicaNotRead, and what the query raises besides errors
        of the database."""
        async with (
            self._attempt() as host,
            AsyncSession(host, expire_on_commit=False) as session,
        ):
            return await query(session)

    async def read_rows(self, query: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Run a query on a connection. Raises as `read` does."""
        async with self._attempt() as host, host.connect() as connection:
            return await query(connection)

    async def wait_for(self, position: Row[Any]) -> None:
        """Wait until the replica has what is before a position of the primary. One that takes
        longer than ``MAX_LAG`` or fails is left. Raises nothing. One may wait at a time."""
        start, host = time.monotonic(), self._hosts[0]
        try:
            async with asyncio.timeout(MAX_LAG.total_seconds()):
                await catch_up(host, position)
        except Unusable as error:
            await self._leave(host, str(error))
        except TimeoutError:
            await self._leave(host, f"it is {MAX_LAG.total_seconds():g} s behind, or frozen")
        except (SQLAlchemyError, OSError) as error:
            await self._leave(host, _why(error))
        else:
            self._was_current_at, self._lag = start, time.monotonic() - start
            self._set_usable(True)

    def stop(self, why: str) -> None:
        """Read the primary until a measurement succeeds."""
        self._set_usable(False, why)

    def _set_usable(self, is_usable: bool, why: str = "") -> None:
        self.is_usable = is_usable
        if is_usable == self._logged:
            return
        self._logged = is_usable
        if is_usable:
            logger.info("The replica is read.")
        else:
            logger.warning("The replica is not read: %s.", why)

    async def _leave(self, host: AsyncEngine, why: str) -> None:
        """Read the primary until a measurement of the next host succeeds."""
        self.stop(why)
        self._hosts.rotate(-1)
        # Its connections may be to a server that has become the primary.
        await host.dispose()

    @asynccontextmanager
    async def _attempt(self) -> AsyncIterator[AsyncEngine]:
        """Yield the host for one query. Raises ReplicaNotRead if it cannot be read, or if an error
        of the database ends the block."""
        try:
            self._require_usable()
            async with asyncio.timeout(READ_TIMEOUT.total_seconds()), self.queue:
                # Again: it may have been left while the query waited in the queue.
                self._require_usable()
                yield self._hosts[0]
        except Unusable:
            self.fallbacks += 1
            raise ReplicaNotRead from None
        except (SQLAlchemyError, OSError) as error:
            self.fallbacks += 1
            # So that no other request waits for it.
            self.stop(_why(error))
            raise ReplicaNotRead from None

    def _require_usable(self) -> None:
        if not self.is_usable:
            raise Unusable


def _why(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "a query has taken too long"
    # The messages of other errors may quote a row.
    return reason(error) if is_away(error) or is_conflict(error) else type(error).__name__


async def read_position(primary: AsyncConnection) -> Row[Any]:
    """Read which database a primary has, and how far its log is written."""
    return (await primary.execute(_READ_POSITION)).one()


async def catch_up(host: AsyncEngine, position: Row[Any]) -> None:
    """Wait until a host has what is before a position of the primary. Raises Unusable, if it is no
    standby of this primary, and errors of the database."""
    pause = _FIRST_PAUSE
    while not await _has(host, position):
        await asyncio.sleep(pause.total_seconds())
        pause = min(2 * pause, _LONGEST_PAUSE)


async def _has(host: AsyncEngine, position: Row[Any]) -> bool:
    async with host.connect() as connection:
        found = (await connection.execute(_COMPARE, position._asdict())).one()
    if not found.is_standby:
        raise Unusable("it is not a standby")
    if not found.is_same:
        raise Unusable("it is of another database than the primary")
    return bool(found.has_it)
