"""What SQLite needs so that nothing of it is left open."""

import asyncio
from typing import Any

import aiosqlite


async def connect(*place: Any, **parameters: Any) -> aiosqlite.Connection:
    """A connection. Whoever is cancelled meanwhile leaves none open. (aiosqlite leaves it to the garbage collector, of which
    Python 3.13 warns.)"""
    connection = aiosqlite.connect(*place, **parameters)
    # As SQLAlchemy has it: a thread that waits for work keeps no process from ending.
    connection._thread.daemon = True
    connecting = asyncio.ensure_future(connection)
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(_close)
        raise


def _close(connecting: asyncio.Future[aiosqlite.Connection]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().stop()
