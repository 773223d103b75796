"""SQLite connections that are always closed. Python 3.13 warns about open ones."""

import asyncio
import sqlite3
from typing import Any

import aiosqlite

from db.cancellation import close_if_cancelled


async def connect(*place: Any, **parameters: Any) -> aiosqlite.Connection:
    connection = aiosqlite.connect(*place, **parameters)
    # As in SQLAlchemy: an idle thread must not keep the process from exiting.
    connection._thread.daemon = True
    try:
        return await close_if_cancelled(connection, aiosqlite.Connection.stop)
    except sqlite3.Error:
        # Its thread still has to end. After the event loop it would print a traceback.
        await asyncio.to_thread(connection._thread.join)
        raise
