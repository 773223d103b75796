"""What PostgreSQL needs to be left in time: a server that is frozen never says so."""

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

from db.cancellation import unless_abandoned

# It warns of each statement that is cancelled, as we have it do.
logging.getLogger("psycopg").setLevel(logging.ERROR)

# Windows has no poll.
_Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)


class Connection(AsyncConnection[Any]):
    """psycopg's, which ends with the statement that is cancelled on it. (psycopg asks the server to end the statement, and
    waits for its answer, for ten seconds if need be.)"""

    async def cancel_safe(self, *, timeout: float = 0) -> None:  # noqa: ASYNC109
        self.pgconn.finish()


async def connect(**parameters: Any) -> Connection:
    connecting = asyncio.create_task(Connection.connect(**parameters))
    connecting.add_done_callback(_let_go)
    return await unless_abandoned(connecting, lambda connection: connection.pgconn.finish())


def _let_go(connecting: asyncio.Task[Connection]) -> None:
    """Of a server that did not answer in time: the frames of the error would hold the socket, and one another, until the
    garbage collector comes."""
    if not connecting.cancelled() and (error := connecting.exception()):
        traceback.clear_frames(error.__traceback__)


def connect_args(patience: timedelta) -> dict[str, Any]:
    """How to connect to a server that answers within so long, or is away."""
    return {
        "async_creator_fn": connect,
        "connect_timeout": int(patience.total_seconds()),
        "tcp_user_timeout": int(patience.total_seconds() * 1000),
        # So that an end which has not reached us shows while nobody asks.
        "keepalives_idle": 30,
    }


def refuse_what_has_ended(engine: Engine) -> None:
    """Have the pool connect anew where PostgreSQL has something to say although nobody has asked: that it goes, or went.

    (To ask each connection whether it is there, as a pre-ping does, takes as long as the statement of `me`.)
    """

    @event.listens_for(engine, "connect")
    def note(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["is_new"] = True

    @event.listens_for(engine, "checkout")
    def look(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        if entry.info.pop("is_new", False):
            # One that has ended already says so at its first statement. (Refused twice, the pool takes it for a fault of ours.)
            return
        with _Selector() as waiting:
            waiting.register(connection.driver_connection.fileno(), selectors.EVENT_READ)
            if waiting.select(timeout=0):
                raise DisconnectionError


def end_what_takes_longer(engine: Engine, limit: timedelta) -> None:
    """End each connection that a piece of work has had for so long. It fails then as if the server had gone."""

    ends: WeakKeyDictionary[ConnectionPoolEntry, asyncio.TimerHandle] = WeakKeyDictionary()

    @event.listens_for(engine, "checkout")
    def watch(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        ends[entry] = asyncio.get_running_loop().call_later(
            limit.total_seconds(), _end, connection.driver_connection
        )

    @event.listens_for(engine, "checkin")
    def rest(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        if end := ends.pop(entry, None):
            end.cancel()


def _end(connection: AsyncConnection[Any]) -> None:
    if connection.closed:
        return
    # By a second handle on the same socket: psycopg waits at the first, and will see that nothing more comes.
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as end:
        end.shutdown(socket.SHUT_RDWR)
