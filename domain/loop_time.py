"""The time of the event loop that a piece of work uses."""

import time
from collections.abc import Awaitable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from domain.token_bucket import TokenBucket

Result = TypeVar("Result")

# What the current work uses time of, if that is limited.
_charged: ContextVar[TokenBucket | None] = ContextVar("charged", default=None)


async def charge(work: Coroutine[Any, Any, Result], bucket: TokenBucket) -> Result:
    """Return what the work returns. Take the seconds that each of its steps uses from a bucket."""
    outer = _charged.set(bucket)
    try:
        return await _Timed(work, bucket)
    finally:
        _charged.reset(outer)


def charge_same(work: Coroutine[Any, Any, Result]) -> Awaitable[Result]:
    """Let work that runs in a task of its own use the time of the current work."""
    bucket = _charged.get()
    return _Timed(work, bucket) if bucket else work


class _Timed(Generic[Result]):
    """Awaits a coroutine and takes the time that its steps used from a bucket."""

    def __init__(self, work: Coroutine[Any, Any, Result], bucket: TokenBucket) -> None:
        self._work = work
        self._bucket = bucket

    def __await__(self) -> Generator[Any, Any, Result]:
        """Delegate to the coroutine as ``yield from`` does (PEP 380), and time it."""
        work, bucket, clock = self._work, self._bucket, time.perf_counter
        resume: Any = work.send
        arguments: list[Any] = [None]
        while True:
            started = clock()
            try:
                # An error that stayed in this frame would refer to itself by its traceback.
                waits_for = resume(arguments.pop())
            except StopIteration as stop:
                result: Result = stop.value
                return result
            finally:
                bucket.take(clock() - started)
            try:
                arguments.append((yield waits_for))
                resume = work.send
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:
                arguments.append(error)
                resume = work.throw
