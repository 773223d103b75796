"""Limit the time of all requests together that a sign-in sends to a provider."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from domain import late_tasks
from domain.providers.provider import ProviderError

Result = TypeVar("Result")


async def in_time(seconds: float, work: Coroutine[Any, Any, Result]) -> Result:
    """Return what the work returns. Raises what it raises, or ProviderError past the limit.

    The work then ends by the timeouts of its own requests: a handshake that is cancelled would
    leave its socket open.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=seconds)
    finally:
        if not task.done():
            late_tasks.leave(task)
    if not task.done():
        raise ProviderError.unavailable(f"no complete answers within {seconds:g} seconds")
    return task.result()
