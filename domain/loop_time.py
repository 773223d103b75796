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
    """Return what the work returns. Take the time of its steps, in seconds, from a bucket."""
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
    """Awaits a coroutine and takes the time of its steps from a bucket."""

    def __init__(self, work: Coroutine[Any, Any, Result], bucket: TokenBucket) -> None:
        self._work = work
        self._bucket = bucket

    def __await__(self) -> Generator[Any, Any, Result]:
        """Delegate to the coroutine as ``yield from`` does (PEP 380), and time it."""
        work, bucket = self._work, self._bucket
        resume: Any = work.send
        with_what: Any = None
        while True:
            started = time.perf_counter()
            try:
                waits_for = resume(with_what)
            except StopIteration as stop:
                result: Result = stop.value
                return result
            finally:
                bucket.take(time.perf_counter() - started)
            try:
                resume, with_what = work.send, (yield waits_for)
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:
                resume, with_what = work.throw, error
