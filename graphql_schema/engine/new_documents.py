"""The time that new documents may take.

A cached document costs nothing to prepare, and clients send the same few. Parsing, measuring,
validating and planning a new one takes a millisecond, or ten at most, in which nothing else runs:
that time is limited, for each network and for the process.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from cachetools import LRUCache

from domain.errors import Overloaded, TooManyAttempts

# Of the time of the event loop. The rest is for documents that are cached.
SHARE_OF_PROCESS = 0.5

# How much of its time a network can save up, and the process.
SAVED_SECONDS = 2.0

# Each takes about a hundred bytes. A network that is forgotten starts with all of its time.
REMEMBERED_NETWORKS = 10_000


class NewDocuments:
    """Limits the time for new documents, from 0 to 1 of the time of the process: ``share`` for one
    network, and ``of_all`` for all of them together."""

    def __init__(self, share: float, *, of_all: float = SHARE_OF_PROCESS) -> None:
        self._share = share
        self._process = _Allowance(max(share, of_all))
        self._networks: LRUCache[str, _Allowance] = LRUCache(REMEMBERED_NETWORKS)

    @contextmanager
    def charge(self, network: str) -> Iterator[None]:
        """Charge the work inside to a network. Raises TooManyAttempts if its time is used up, and
        Overloaded if that of all networks together is."""
        allowance = self._networks.get(network)
        if allowance is None:
            allowance = self._networks[network] = _Allowance(self._share)
        if wait := allowance.wait():
            raise TooManyAttempts(ceil(wait), "Too many new documents.")
        if self._process.wait():
            raise Overloaded("The server is busy with new documents. Try again in a moment.")
        # The processor's time: what other threads use in between is not charged.
        started = time.thread_time()
        try:
            yield
        finally:
            used = time.thread_time() - started
            allowance.use(used)
            self._process.use(used)


class _Allowance:
    """A share of the time, which is saved up to a limit (a token bucket)."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._left = share * SAVED_SECONDS
        self._at = time.monotonic()

    def wait(self) -> float:
        """Return the seconds until there is time, or 0."""
        now = time.monotonic()
        saved = self._left + (now - self._at) * self._share
        self._left, self._at = min(saved, self._share * SAVED_SECONDS), now
        return 0 if self._left > 0 else -self._left / self._share + 0.001

    def use(self, seconds: float) -> None:
        self._left -= seconds
