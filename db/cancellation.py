"""How a connection is made that nobody may be waiting for by the time it is there."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

Connection = TypeVar("Connection")


async def unless_abandoned(
    connecting: Awaitable[Connection], close: Callable[[Connection], object]
) -> Connection:
    """The connection. Whoever is cancelled meanwhile leaves it to be closed. (The drivers leave it to the garbage collector.)"""
    task = asyncio.ensure_future(connecting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(partial(_close, close))
        raise


def _close(close: Callable[[Connection], object], connecting: "asyncio.Future[Connection]") -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        close(connecting.result())
