"""Deadlines: how long a request may take."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from domain.errors import Unavailable

Result = TypeVar("Result")

# The event loop holds tasks weakly.
_abandoned: set[asyncio.Task[Any]] = set()


async def within(limit: timedelta | None, work: Awaitable[Result]) -> Result:
    """Return what the work returns. Raises what it raises, or Unavailable if it takes longer than
    the limit."""
    return await Deadline(limit).run(work)


class Deadline:
    """The time that a piece of work may take, until it is lifted."""

    def __init__(self, limit: timedelta | None) -> None:
        loop = asyncio.get_running_loop()
        # `asyncio.wait` would do, and takes a tenth of the time of `me`.
        self._is_over = loop.create_future()
        self._timer = loop.call_later(limit.total_seconds(), self._end) if limit else None

    async def run(self, work: Awaitable[Result]) -> Result:
        """Return what the work returns. Raises what it raises, or Unavailable past the limit.

        The work is then cancelled, and its clean-up is not awaited: SQLite can take five seconds to
        give up on a lock.
        """
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._end)
        try:
            await self._is_over
        finally:
            self.lift()
            if not task.done():
                task.cancel()
                _abandoned.add(task)
                task.add_done_callback(_forget)
        if task in _abandoned:
            raise Unavailable("The request took too long. Try again in a moment.")
        return task.result()

    def lift(self) -> None:
        """Let the work take as long as it does from now on."""
        if self._timer:
            self._timer.cancel()

    def _end(self, _: object = None) -> None:
        if not self._is_over.done():
            self._is_over.set_result(None)


def _forget(task: asyncio.Task[Any]) -> None:
    _abandoned.discard(task)
    if not task.cancelled():
        task.exception()  # asyncio would otherwise log that it was never retrieved
