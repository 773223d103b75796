"""Cancellation of tasks that open connections."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

Connection = TypeVar("Connection")


async def close_if_cancelled(
    connecting: Awaitable[Connection], close: Callable[[Connection], object]
) -> Connection:
    """Return the connection. If the caller is cancelled first, close it as soon as it is open. (The
    drivers leave it to the garbage collector.)"""
    task = asyncio.ensure_future(connecting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.add_done_callback(partial(_close, close))
        raise


def raise_if_cancelled() -> None:
    """Raise CancelledError if the current task was cancelled and nothing was raised. (The
    ``asyncio.wait_for`` of Python 3.11 returns a result that comes at the same moment, and the
    cancellation is lost.)"""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def _close(close: Callable[[Connection], object], connecting: "asyncio.Future[Connection]") -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        close(connecting.result())
