"""Shares the time of the event loop between networks.

A client can keep the event loop busy with what it may ask for. Each step of another request then
waits for a step of everything that this client has under way at once.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect

from domain.errors import Overloaded
from domain.loop_time import charge
from domain.token_bucket import TokenBucket, TokenBuckets

Result = TypeVar("Result")

# What a network gets of the time of the event loop while others have work.
SHARE_OF_NETWORK = 0.25

# The time of which a network can save up its share: enough for a page that loads.
SAVED = timedelta(seconds=0.05)

# What a request or an operation costs in addition to the steps of its work, which are timed: its
# bytes, its tasks, the outer middleware and its line in the log. It was 0.08 to 0.15
# milliseconds on an open connection.
SECONDS_BESIDES = 0.00015

# The work of a network that runs at once while others have work.
MAX_AT_ONCE = 2

# After that, work does not count as running: what waits for a password's hash or for the database
# does not use the event loop.
LONGEST_TURN = timedelta(seconds=0.1)

# How long the work of others counts from its begin, and from its end: a page that sends one request
# after the other is served as if alone. A slow upload does not count for longer.
REMEMBERED = timedelta(seconds=0.1)

# The work of a network that waits for its turn. Clients that leave do not make more of it.
MAX_WAITING = 100


_running: ContextVar["_Running | None"] = ContextVar("running", default=None)


class FairScheduler:
    """Runs the work of a network in turns, and in its share of the time, while others have work.

    A network alone gets all of the time, so nothing is slower behind a proxy that is not in
    TRUSTED_PROXIES, where all clients are one network.
    """

    def __init__(self) -> None:
        self._networks = TokenBuckets(_Network)
        self._loop: asyncio.AbstractEventLoop | None = None
        # The last time that work began or ended which its network's share allowed, and the last
        # one of another network.
        self._last: tuple[_Network | None, float] = (None, -math.inf)
        self._last_of_another: tuple[_Network | None, float] = (None, -math.inf)

    async def run(
        self,
        network: str,
        work: Coroutine[Any, Any, Result],
        *,
        is_dropped: Callable[[], bool] | None = None,
        waits_always: bool = False,
    ) -> Result:
        """Run work of a network, and return what it returns.

        Raises Overloaded if too much work of the network waits for its turn, unless this
        ``waits_always``, and ClientDisconnect if the work is dropped by then.
        """
        own = self._of(network)
        own.take(SECONDS_BESIDES)
        if self._others_have_work(own) and not own.may_start():
            try:
                await own.turn(partial(self._others_have_work, own), is_dropped, waits_always)
            except BaseException:
                work.close()
                raise
        self._note(own)
        running = _Running(own)
        outer = _running.set(running)
        try:
            return await charge(work, own)
        finally:
            running.end()
            _running.reset(outer)
            self._note(own)

    async def run_event(self, network: str, work: Coroutine[Any, Any, Result]) -> Result:
        """Run what an event of a subscription takes, and return what it returns. One at a time of
        a network, so that its requests have turns between those."""
        try:
            async with self._of(network).events:
                return await self.run(network, work, waits_always=True)
        finally:
            work.close()

    @staticmethod
    def end_turn() -> None:
        """Let other work of the network run. The current work waits for events from now on."""
        if running := _running.get():
            running.end()

    async def pace(self, network: str, used: float) -> None:
        """Take the seconds that a network used since it was last paced, and let others run: for
        one turn of the event loop or, if they have work, until the network has time again."""
        own = self._of(network)
        own.take(used)
        await asyncio.sleep(own.wait() if self._others_have_work(own) else 0)

    def _of(self, network: str) -> "_Network":
        # Locks and events belong to an event loop.
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._loop, self._networks = loop, TokenBuckets(_Network)
        return self._networks.of(network)

    def _others_have_work(self, own: "_Network") -> bool:
        last, at = self._last
        if last is own:
            _, at = self._last_of_another
        return time.monotonic() - at < REMEMBERED.total_seconds()

    def _note(self, own: "_Network") -> None:
        if own.left > 0:
            if self._last[0] is not own:
                self._last_of_another = self._last
            self._last = own, time.monotonic()


class _Network(TokenBucket):
    """The share of a network, in seconds of the event loop, and its turns."""

    __slots__ = ("_queue", "_waiting", "ended", "events", "running")

    def __init__(self) -> None:
        super().__init__(SHARE_OF_NETWORK, SHARE_OF_NETWORK * SAVED.total_seconds())
        self._queue = asyncio.Lock()
        self._waiting = 0
        self.ended = asyncio.Event()
        # The work that runs, each for one turn at most.
        self.running: set[object] = set()
        self.events = asyncio.Lock()

    def may_start(self) -> bool:
        return len(self.running) < MAX_AT_ONCE and self.left > 0 and not self._waiting

    async def turn(
        self,
        others_have_work: Callable[[], bool],
        is_dropped: Callable[[], bool] | None,
        waits_always: bool,
    ) -> None:
        """Wait for a turn, in order of the calls, while others have work. Raises Overloaded if too
        many wait, and ClientDisconnect if the work is dropped."""
        if self._waiting >= MAX_WAITING and not waits_always:
            raise Overloaded("Too many of your requests wait for each other. Try again later.")
        self._waiting += 1
        try:
            async with self._queue:
                if others_have_work() and not (is_dropped and is_dropped()):
                    await self._wait_for_an_end()
                    await asyncio.sleep(self.wait())
            if is_dropped and is_dropped():
                raise ClientDisconnect
        finally:
            self._waiting -= 1

    async def _wait_for_an_end(self) -> None:
        if len(self.running) >= MAX_AT_ONCE:
            self.ended.clear()
            try:
                async with asyncio.timeout(LONGEST_TURN.total_seconds()):
                    await self.ended.wait()
            except TimeoutError:
                self.running.clear()


class _Running:
    """Work that runs."""

    __slots__ = ("_network",)

    def __init__(self, network: _Network) -> None:
        self._network = network
        network.running.add(self)

    def end(self) -> None:
        self._network.running.discard(self)
        self._network.ended.set()
