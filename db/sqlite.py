"""What SQLite needs so that nothing of it is left open, of which Python 3.13 warns."""

from typing import Any

import aiosqlite

from db.cancellation import unless_abandoned


async def connect(*place: Any, **parameters: Any) -> aiosqlite.Connection:
    connection = aiosqlite.connect(*place, **parameters)
    # As SQLAlchemy has it: a thread that waits for work keeps no process from ending.
    connection._thread.daemon = True
    return await unless_abandoned(connection, aiosqlite.Connection.stop)
