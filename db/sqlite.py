"""SQLite: connections that are always closed (Python 3.13 warns about open ones), and the file that
they have open."""

import asyncio
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
from sqlalchemy.exc import OperationalError

from db.cancellation import close_if_cancelled


class _Connection(aiosqlite.Connection):
    """A connection that rolls back before it is closed.

    SQLite keeps a closed connection, with its locks, for as long as a cursor of it has rows left:
    the traceback of a cancelled task may refer to one.
    """

    async def close(self) -> None:
        self._roll_back_first()
        await super().close()

    def stop(self) -> asyncio.Future[Any] | None:
        self._roll_back_first()
        return super().stop()

    def _roll_back_first(self) -> None:
        if (connection := self._connection) is not None:
            # In its thread, after what that is doing now.
            self._tx.put_nowait((None, connection.rollback))


async def connect(*place: Any, **parameters: Any) -> aiosqlite.Connection:
    connection = _Connection(partial(sqlite3.connect, *place, **parameters), iter_chunk_size=64)
    # As in SQLAlchemy: an idle thread must not keep the process from exiting.
    connection._thread.daemon = True
    try:
        return await close_if_cancelled(connection, aiosqlite.Connection.stop)
    except sqlite3.Error:
        # Its thread still has to end. After the event loop it would print a traceback.
        await asyncio.to_thread(connection._thread.join)
        raise


class File:
    """The file of a database, which must stay the same while a process uses it.

    SQLite does not notice that its file was deleted or replaced: it would acknowledge writes to a
    file that is gone. Opening the new file beside the journal of the old one could damage it. So
    the database is not available until the process is restarted.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._identity: tuple[int, int] | None = None

    def require_same(self) -> None:
        """Raise OperationalError if the file is not that of the first call. (One system call.)"""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            identity = None
        else:
            identity = (found.st_dev, found.st_ino)
        if self._identity is None:
            self._identity = identity
        elif identity != self._identity:
            error = sqlite3.OperationalError(
                "the SQLite file was deleted or replaced: restart the server to use the new one"
            )
            raise OperationalError(None, None, error)
