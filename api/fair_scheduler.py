"""Shares the time of the event loop between networks.

A client can keep the event loop busy with what it may ask for. Each step of another request then
waits for a step of everything that this client has under way at once.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

from domain.loop_time import charge
from domain.token_bucket import TokenBucket, TokenBuckets

Result = TypeVar("Result")

# Of the time of the event loop. A network that uses more of it is busy.
SHARE_OF_NETWORK = 0.2

# The time that a network can save up: enough for a page that loads.
SAVED = timedelta(seconds=0.2)

# How long busy networks yield to others after these had their responses: a page that sends one
# request after the other is served as if alone.
YIELDING = timedelta(seconds=0.1)

# For one turn of a busy network. What waits for a password's hash does not use the event loop.
LONGEST_TURN = timedelta(seconds=0.02)


class FairScheduler:
    """Runs the work of busy networks one piece at a time while others have work.

    A network alone gets all of the time, so nothing is slower behind a proxy that is not in
    TRUSTED_PROXIES, where all clients are one network.
    """

    def __init__(self) -> None:
        self._networks = TokenBuckets(_Network)
        # Pieces of work under way of networks that are not busy, and the end of the last one.
        self._preferred = 0
        self._preferred_ended = 0.0

    async def run(self, network: str, work: Coroutine[Any, Any, Result]) -> Result:
        """Run work of a network, and return what it returns."""
        time_of_network = self._networks.of(network)
        if time_of_network.is_busy():
            try:
                async with time_of_network.turn(self._must_yield):
                    return await charge(work, time_of_network)
            finally:
                # It has not begun, if it was cancelled before its turn.
                work.close()
        self._preferred += 1
        try:
            return await charge(work, time_of_network)
        finally:
            self._preferred -= 1
            if time_of_network.left > 0:
                self._preferred_ended = time.monotonic()

    def is_busy(self, network: str) -> bool:
        """Return whether a network has used up its time."""
        return self._networks.of(network).is_busy()

    def _must_yield(self) -> bool:
        since = time.monotonic() - self._preferred_ended
        return bool(self._preferred) or since < YIELDING.total_seconds()


class _Network(TokenBucket):
    """The time in seconds that a network has, and the turns of its work."""

    __slots__ = ("_ended", "_is_busy", "_queue", "_running")

    def __init__(self) -> None:
        super().__init__(SHARE_OF_NETWORK, SHARE_OF_NETWORK * SAVED.total_seconds())
        self._is_busy = False
        self._running = 0
        self._queue = asyncio.Lock()
        self._ended = asyncio.Event()

    def is_busy(self) -> bool:
        """Return whether the network has used up its time, and not saved all of it again since."""
        left = self.left
        self._is_busy = left < self._capacity if self._is_busy else left <= 0
        return self._is_busy

    @asynccontextmanager
    async def turn(self, must_yield: Callable[[], bool]) -> AsyncIterator[None]:
        """Wait for a turn, in the order of the calls."""
        async with self._queue:
            if self._running and must_yield():
                self._ended.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_TURN.total_seconds()):
                        await self._ended.wait()
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1
            self._ended.set()
