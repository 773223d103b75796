"""Deadlines: how long a request may take."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from domain.errors import Unavailable

Result = TypeVar("Result")

# The event loop holds tasks weakly.
_abandoned: set[asyncio.Task[Any]] = set()


async def within(
    limit: timedelta | None,
    work: Awaitable[Result],
    *,
    until: asyncio.Future[None] | None = None,
) -> Result:
    """Return what the work returns. Raises what it raises, or Unavailable if it takes longer than
    the limit, or than that ``until`` the future is done.

    Past the limit the work is cancelled, and its clean-up is not awaited: SQLite can take five
    seconds to give up on a lock.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait(
            (task, until) if until else (task,),
            timeout=limit.total_seconds() if limit else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if until and until.done():
            await asyncio.wait((task,))
    finally:
        if not task.done():
            task.cancel()
            _abandoned.add(task)
            task.add_done_callback(_forget)
    if task in _abandoned:
        raise Unavailable("The request took too long. Try again in a moment.")
    return task.result()


def _forget(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # asyncio would otherwise log that it was never retrieved
