"""How long anyone waits for an answer."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from domain.errors import Unavailable

Result = TypeVar("Result")

# The event loop itself holds a task weakly.
_given_up: set[asyncio.Task[Any]] = set()


async def within(limit: timedelta | None, work: Awaitable[Result]) -> Result:
    """What the work returns or raises. Raises Unavailable when it takes longer.

    The work is cancelled then, and nobody waits for what it has to clean up: SQLite may take five seconds to say that
    a lock is not to be had.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((task,), timeout=limit.total_seconds() if limit else None)
    finally:
        if not task.done():
            task.cancel()
            _given_up.add(task)
            task.add_done_callback(_forget)
    if task in _given_up:
        raise Unavailable("This took too long; try again in a moment.")
    return task.result()


def _forget(task: asyncio.Task[Any]) -> None:
    _given_up.discard(task)
    if not task.cancelled():
        task.exception()  # nobody else will ask, and asyncio would say so
