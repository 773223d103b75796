"""Shares the time of the event loop between networks.

A client can keep the event loop busy with what it may ask for. Each step of another request then
waits for a step of everything that this client has under way at once.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

from domain.errors import Overloaded
from domain.loop_time import charge
from domain.token_bucket import TokenBucket, TokenBuckets

Result = TypeVar("Result")

# Of the time of the event loop. A network that uses more of it is busy, and gets no more while
# others have work.
SHARE_OF_NETWORK = 0.2

# The time that a network can save up: enough for a page that loads.
SAVED = timedelta(seconds=0.2)

# How long busy networks yield to others after these had their responses: a page that sends one
# request after the other is served as if alone.
YIELDING = timedelta(seconds=0.1)

# For one turn of a busy network. What waits for a password's hash does not use the event loop.
LONGEST_TURN = timedelta(seconds=0.1)

# The work of a busy network that waits for a turn. Clients that leave do not make more of it.
MAX_WAITING = 100


class FairScheduler:
    """Runs the work of busy networks one piece at a time, and in their share of the time, while
    others have work.

    A network alone gets all of the time, so nothing is slower behind a proxy that is not in
    TRUSTED_PROXIES, where all clients are one network.
    """

    def __init__(self) -> None:
        self._networks = TokenBuckets(_Network)
        # Pieces of work under way of networks that are not busy, and the end of the last one.
        self._preferred = 0
        self._preferred_ended = 0.0

    async def run(self, network: str, work: Coroutine[Any, Any, Result]) -> Result:
        """Run work of a network, and return what it returns. Raises Overloaded if too much work of
        a busy network waits."""
        networks_time = self._networks.of(network)
        if networks_time.is_busy():
            return await self._run_in_turn(networks_time, work)
        self._preferred += 1
        try:
            return await charge(work, networks_time)
        finally:
            self._preferred -= 1
            if networks_time.left > 0:
                self._preferred_ended = time.monotonic()

    def is_busy(self, network: str) -> bool:
        """Return whether a network has used up its time."""
        return self._networks.of(network).is_busy()

    async def _run_in_turn(
        self, networks_time: "_Network", work: Coroutine[Any, Any, Result]
    ) -> Result:
        if self._must_yield():
            try:
                await networks_time.turn(self._must_yield)
            except BaseException:
                work.close()
                raise
        networks_time.running += 1
        try:
            return await charge(work, networks_time)
        finally:
            networks_time.running -= 1
            networks_time.ended.set()

    def _must_yield(self) -> bool:
        since = time.monotonic() - self._preferred_ended
        return bool(self._preferred) or since < YIELDING.total_seconds()


class _Network(TokenBucket):
    """The time in seconds that a network has, and the turns of its work."""

    __slots__ = ("_is_busy", "_queue", "_waiting", "ended", "running")

    def __init__(self) -> None:
        super().__init__(SHARE_OF_NETWORK, SHARE_OF_NETWORK * SAVED.total_seconds())
        self._is_busy = False
        self._queue = asyncio.Lock()
        self._waiting = 0
        self.running = 0
        self.ended = asyncio.Event()

    def is_busy(self) -> bool:
        """Return whether the network has used up its time, and not saved all of it again since."""
        left = self.left
        self._is_busy = left < self._capacity if self._is_busy else left <= 0
        return self._is_busy

    async def turn(self, must_yield: Callable[[], bool]) -> None:
        """Wait for a turn, in order of the calls."""
        if self._waiting >= MAX_WAITING:
            raise Overloaded("The server is busy with other requests of yours. Try again later.")
        self._waiting += 1
        try:
            async with self._queue:
                await self._wait_until_idle()
                while must_yield() and (seconds := self.wait()):
                    await asyncio.sleep(seconds)
        finally:
            self._waiting -= 1

    async def _wait_until_idle(self) -> None:
        """Wait until no work of the network runs, or the turn of what runs is over."""
        if self.running:
            self.ended.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_TURN.total_seconds()):
                    await self.ended.wait()
