"""A value that a provider publishes: fetched by one task at a time, and kept."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from domain.providers.provider import ProviderError

Value = TypeVar("Value")

# In seconds.
LIFETIME = 3600.0

# A value that seems to be out of date is fetched again at most this often.
RENEWAL_INTERVAL = 60.0

# A provider that is away is asked again after this time. Until then its error is raised at once.
FAILURE_LIFETIME = 5.0


class Cached(Generic[Value]):
    """A value, or for a short time the error instead of one.

    Callers that come while it is fetched wait for the same fetch, which continues if they are
    cancelled.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Value]]) -> None:
        self._fetch = fetch
        self._value: Value | None = None
        self._expires_at = float("-inf")
        self._error: ProviderError | None = None
        self._begun_at = self._failed_at = float("-inf")
        self._task: asyncio.Task[Value | ProviderError] | None = None

    async def get(self) -> Value:
        """Return the value. Raises ProviderError."""
        if self._value is not None and time.monotonic() < self._expires_at:
            return self._value
        if self._error is not None and time.monotonic() - self._failed_at < FAILURE_LIFETIME:
            raise _copy(self._error)
        return await self._fetched()

    async def renewed(self) -> Value:
        """Return the value, fetched again unless that was done within the last minute.

        Raises ProviderError. The former value is then kept.
        """
        if time.monotonic() - self._begun_at < RENEWAL_INTERVAL and self._task is None:
            return await self.get()
        return await self._fetched()

    async def close(self) -> None:
        """Cancel the fetch."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _fetched(self) -> Value:
        if self._task is None:
            self._begun_at = time.monotonic()
            self._task = asyncio.create_task(self._run())
        outcome = await asyncio.shield(self._task)
        if isinstance(outcome, ProviderError):
            raise _copy(outcome)
        return outcome

    async def _run(self) -> Value | ProviderError:
        try:
            value = await self._fetch()
        except ProviderError as error:
            self._error, self._failed_at = error, time.monotonic()
            return error
        finally:
            self._task = None
        self._value, self._expires_at, self._error = value, time.monotonic() + LIFETIME, None
        return value


def _copy(error: ProviderError) -> ProviderError:
    """Return the same error for another caller, without the traceback of the first."""
    return ProviderError(error.failure, error.reason)
