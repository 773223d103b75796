"""PostgreSQL connections: the state that the code relies on, set and checked in one place, and
waits that end. (A frozen server sends no error.)"""

import asyncio
import logging
import selectors
import socket
import traceback
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection, IsolationLevel
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout, NotSupportedError, ReadOnlySqlTransaction
from psycopg.pq import TransactionStatus
from psycopg.waiting import wait_async
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from db.cancellation import close_if_cancelled
from db.errors import is_standby
from db.failover import Parameters, connect_to_one, each_host

Result = TypeVar("Result")

# psycopg warns about what is normal here, such as a server that is shutting down.
logging.getLogger("psycopg").setLevel(logging.ERROR)

# Windows has no poll.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

# A cancelled statement has this long to end by itself. Small ones do within milliseconds, which is
# less than a new connection takes.
REPLY_TIMEOUT = timedelta(milliseconds=100)

# With several hosts, how long a server may take before another one is looked for.
RESPONSE_TIMEOUT = timedelta(milliseconds=750)

# The pause between two looks for another primary.
LOOK_EVERY = timedelta(milliseconds=250)

# How often psycopg looks for signals while it waits, by default.
POLL_SECONDS = 0.1

# One round trip when a connection opens. `set_config` sets what psycopg relies on to read times and
# text, whatever the defaults of the server, the database or the role. PgBouncer keeps these four
# for each of its clients, also in transaction mode (it tracks what the server reports).
#
# The search path stays as it is: it says where an operator wants the tables. So do timeouts:
# PgBouncer does not track them, and would pass them on to other clients.
_PREPARE = """
SELECT set_config('client_encoding', 'UTF8', false),
       set_config('DateStyle', 'ISO', false),
       set_config('TimeZone', 'UTC', false),
       set_config('standard_conforming_strings', 'on', false),
       current_setting('server_encoding'), pg_is_in_recovery(), pg_backend_pid()
"""


class Connection(AsyncConnection[Any]):
    """A connection that a cancelled statement leaves usable, or closed."""

    #: What it was opened with, and what would open one to another host.
    parameters: Parameters
    other_hosts: list[Parameters]

    async def wait(
        self,
        gen: PQGen[Result],
        interval: float = POLL_SECONDS,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> Result:
        """Wait for the server. A cancelled statement may end within ``REPLY_TIMEOUT``.

        (psycopg would ask the server to cancel it, and wait up to ten seconds for the answer.)
        """
        try:
            return await wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            await self._end_statement(gen)
            raise

    async def _end_statement(self, gen: PQGen[Any]) -> None:
        try:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                seconds = REPLY_TIMEOUT.total_seconds()
                await wait_async(gen, self.pgconn.socket, interval=POLL_SECONDS, timeout=seconds)
        except psycopg.Error:
            pass
        finally:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()


async def connect(*, may_be_standby: bool = False, **parameters: Any) -> Connection:
    """Open a connection in the state that the code relies on.

    Raises NotSupportedError for a database that cannot store every text, and ReadOnlySqlTransaction
    for a standby, unless it may be one: its sessions may have ended on the primary.
    """
    connecting = asyncio.create_task(_connect(parameters, may_be_standby=may_be_standby))
    connecting.add_done_callback(_clear_frames)
    return await close_if_cancelled(connecting, _finish)


async def _connect(parameters: dict[str, Any], *, may_be_standby: bool) -> Connection:
    hosts = each_host(parameters)
    connection = await connect_to_one(_open, hosts, _finish)
    connection.other_hosts = [host for host in hosts if host is not connection.parameters]
    try:
        async with asyncio.timeout(parameters["connect_timeout"]):
            await _prepare(connection, may_be_standby=may_be_standby)
    except TimeoutError:
        connection.pgconn.finish()
        raise ConnectionTimeout("the server does not respond") from None
    except BaseException:
        connection.pgconn.finish()
        raise
    return connection


async def _open(parameters: Parameters) -> Connection:
    connection = await Connection.connect(**parameters)
    connection.parameters = parameters
    return connection


def _finish(connection: Connection) -> None:
    connection.pgconn.finish()


async def _prepare(connection: Connection, *, may_be_standby: bool) -> None:
    await connection.set_autocommit(True)
    cursor = await connection.execute(_PREPARE)
    row = await cursor.fetchone()
    assert row
    *_, encoding, is_in_recovery, pid = row
    await connection.set_autocommit(False)
    if encoding != "UTF8":
        raise NotSupportedError(
            f"the database has the encoding {encoding}; create one with the encoding UTF8"
        )
    if is_in_recovery and not may_be_standby:
        raise ReadOnlySqlTransaction("the server is a read-only standby")
    if pid != connection.info.backend_pid:
        # A pooler such as PgBouncer is in between, and the next transaction may be on another
        # server connection, which does not have the statements that this one has prepared.
        connection.prepare_threshold = None
    # psycopg sends both with each BEGIN, so that no default applies to a write. (SQLAlchemy begins
    # one on the first connection to a replica, too.)
    await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
    await connection.set_read_only(may_be_standby)


def _clear_frames(connecting: asyncio.Task[Connection]) -> None:
    """Release the socket of a failed connection. The frames of its error would hold it until the
    next garbage collection."""
    if not connecting.cancelled() and (error := connecting.exception()):
        traceback.clear_frames(error.__traceback__)


def connect_args(timeout: timedelta, *, may_be_standby: bool = False) -> dict[str, Any]:
    """Return the arguments to connect with. A server that does not answer within the timeout is not
    available."""
    return {
        "async_creator_fn": partial(connect, may_be_standby=may_be_standby),
        "connect_timeout": int(timeout.total_seconds()),
        "tcp_user_timeout": int(timeout.total_seconds() * 1000),
        # Finds connections whose end has not reached this machine, while they are idle.
        "keepalives_idle": 30,
    }


def discard_closed(engine: Engine) -> None:
    """Replace pooled connections on which PostgreSQL has sent something unasked: that it is
    shutting down or has closed.

    (A pre-ping would take as long as the statement of `me`.)
    """

    @event.listens_for(engine, "connect")
    def mark_as_new(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["is_new"] = True

    @event.listens_for(engine, "checkout")
    def check(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        if entry.info.pop("is_new", False):
            # A new one that has closed already fails at its first statement. (The pool gives up
            # after refusing two.)
            return
        with _Selector() as waiting:
            waiting.register(connection.driver_connection.fileno(), selectors.EVENT_READ)
            if waiting.select(timeout=0):
                raise DisconnectionError


def keep_what_is_usable(engine: Engine) -> None:
    """Close all connections after a write to a standby, and keep the connection of a cancelled
    statement that has ended.

    (SQLAlchemy does neither. A standby is refused when a connection opens, so that one is reached
    through a pooler only, or by a failover in that moment.)
    """

    @event.listens_for(engine, "handle_error")
    def decide(context: ExceptionContext) -> None:
        error = context.original_exception
        if is_standby(error):
            context.is_disconnect = True
        elif isinstance(error, asyncio.CancelledError) and context.connection:
            opened = context.connection
            context.is_disconnect = opened.invalidated or _driver(opened).closed


def _driver(connection: SyncConnection) -> AsyncConnection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, AsyncConnection)
    return driver


def limit_checkout_time(engine: Engine, limit: timedelta) -> None:
    """Close each connection that is checked out for longer than the limit. Its work then fails as
    if the server had closed it."""
    _call_if_checked_out_for(engine, limit, _close)


def leave_replaced_server(engine: Engine) -> None:
    """Close connections that are in use for long when their server does not respond and another
    host has become the primary. Their work then fails at once, and the next goes to the primary."""
    waiting: set[Connection] = set()
    looking: set[asyncio.Task[None]] = set()

    def look(connection: Connection) -> None:
        waiting.add(connection)
        # One task for all connections: a server that does not respond is asked by one alone.
        if not looking:
            task = asyncio.create_task(_close_when_replaced(waiting))
            looking.add(task)
            task.add_done_callback(looking.discard)

    def forget(connection: Connection) -> None:
        waiting.discard(connection)

    _call_if_checked_out_for(engine, RESPONSE_TIMEOUT, look, at_return=forget)


def _call_if_checked_out_for(
    engine: Engine,
    limit: timedelta,
    call: Callable[[Connection], object],
    *,
    at_return: Callable[[Connection], object] = lambda _: None,
) -> None:
    """Call a function with each connection that is checked out for longer than the limit, and
    another one when it returns."""
    timers: WeakKeyDictionary[ConnectionPoolEntry, tuple[Connection, asyncio.TimerHandle]]
    timers = WeakKeyDictionary()

    @event.listens_for(engine, "checkout")
    def start(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        driver = connection.driver_connection
        loop = asyncio.get_running_loop()
        timers[entry] = driver, loop.call_later(limit.total_seconds(), call, driver)

    @event.listens_for(engine, "checkin")
    def stop(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        if entry in timers:
            driver, timer = timers.pop(entry)
            timer.cancel()
            at_return(driver)


async def _close_when_replaced(waiting: set[Connection]) -> None:
    """Look for another primary until there is one or no connection waits any more."""
    while waiting:
        primary = await _find_primary(next(iter(waiting)))
        if primary is not None:
            for connection in [one for one in waiting if one.parameters != primary]:
                waiting.discard(connection)
                _close(connection)
        await asyncio.sleep(LOOK_EVERY.total_seconds())


async def _find_primary(connection: Connection) -> Parameters | None:
    """Return the parameters of the host that is the primary, the connection's own if it responds in
    time, or None."""
    hosts = [connection.parameters, *connection.other_hosts]
    try:
        async with asyncio.timeout(2 * RESPONSE_TIMEOUT.total_seconds()):
            found = await connect_to_one(_open, hosts, _finish, head_start=RESPONSE_TIMEOUT)
    except (psycopg.Error, OSError):
        return None
    _finish(found)
    return found.parameters


def _close(connection: AsyncConnection[Any]) -> None:
    if connection.closed:
        return
    # By a second handle on the same socket: psycopg waits on the first and then reads the end of
    # the stream.
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as handle:
        handle.shutdown(socket.SHUT_RDWR)
