"""SQLite connections that are always closed. Python 3.13 warns about open ones."""

from typing import Any

import aiosqlite

from db.cancellation import close_if_cancelled


async def connect(*place: Any, **parameters: Any) -> aiosqlite.Connection:
    connection = aiosqlite.connect(*place, **parameters)
    # As in SQLAlchemy: an idle thread must not keep the process from exiting.
    connection._thread.daemon = True
    return await close_if_cancelled(connection, aiosqlite.Connection.stop)
