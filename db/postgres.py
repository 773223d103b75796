"""PostgreSQL connections that never wait without end. A frozen server sends no error."""

import asyncio
import logging
import selectors
import socket
import traceback
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection
from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from db.cancellation import close_if_cancelled

# psycopg warns about each cancelled statement, and cancelling is normal here.
logging.getLogger("psycopg").setLevel(logging.ERROR)

# Windows has no poll.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Connection(AsyncConnection[Any]):
    """A connection that closes when a statement on it is cancelled. (psycopg asks the server to
    cancel the statement, and waits up to ten seconds for its answer.)"""

    async def cancel_safe(self, *, timeout: float = 0) -> None:  # noqa: ASYNC109
        self.pgconn.finish()


async def connect(**parameters: Any) -> Connection:
    connecting = asyncio.create_task(Connection.connect(**parameters))
    connecting.add_done_callback(_clear_frames)
    return await close_if_cancelled(connecting, lambda connection: connection.pgconn.finish())


def _clear_frames(connecting: asyncio.Task[Connection]) -> None:
    """Release the socket of a failed connection. The frames of its error would hold it until the
    next garbage collection."""
    if not connecting.cancelled() and (error := connecting.exception()):
        traceback.clear_frames(error.__traceback__)


def connect_args(timeout: timedelta) -> dict[str, Any]:
    """Return the arguments to connect with. A server that does not answer within the timeout is not
    available."""
    return {
        "async_creator_fn": connect,
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


def limit_checkout_time(engine: Engine, limit: timedelta) -> None:
    """Close each connection that is checked out for longer than the limit. Its work then fails as
    if the server had closed it."""

    timers: WeakKeyDictionary[ConnectionPoolEntry, asyncio.TimerHandle] = WeakKeyDictionary()

    @event.listens_for(engine, "checkout")
    def start(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        timers[entry] = asyncio.get_running_loop().call_later(
            limit.total_seconds(), _close, connection.driver_connection
        )

    @event.listens_for(engine, "checkin")
    def stop(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        if timer := timers.pop(entry, None):
            timer.cancel()


def _close(connection: AsyncConnection[Any]) -> None:
    if connection.closed:
        return
    # By a second handle on the same socket: psycopg waits on the first and then reads the end of
    # the stream.
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as handle:
        handle.shutdown(socket.SHUT_RDWR)
