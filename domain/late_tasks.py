"""Tasks that have passed their time limit, and that nothing waits for any more."""

import asyncio
from typing import Any

# The event loop itself has weak references alone.
_late: set[asyncio.Future[Any]] = set()


def leave(task: asyncio.Future[Any]) -> None:
    """Keep a task until it has ended, and take its error, which asyncio would otherwise log with
    its words."""
    _late.add(task)
    task.add_done_callback(_forget)


def _forget(task: asyncio.Future[Any]) -> None:
    _late.discard(task)
    if not task.cancelled():
        task.exception()
