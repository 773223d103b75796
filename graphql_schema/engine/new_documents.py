"""The time that new documents may take.

A cached document costs nothing to prepare, and clients send the same few. Parsing, measuring,
validating and planning a new one takes a millisecond, or ten at most, in which nothing else runs:
that time is limited, for each network and for the process.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil

from domain.errors import Overloaded, TooManyAttempts
from domain.token_bucket import TokenBucket, TokenBuckets

# Of the time of the event loop. The rest is for documents that are cached.
SHARE_OF_PROCESS = 0.5

# How much of its time a network can save up, and the process.
SAVED_SECONDS = 1.0


class NewDocuments:
    """Limits the time for new documents, from 0 to 1 of the time of the process: ``share`` for one
    network, and ``of_all`` for all of them together."""

    def __init__(self, share: float, *, of_all: float = SHARE_OF_PROCESS) -> None:
        of_all = max(share, of_all)
        self._process = TokenBucket(of_all, of_all * SAVED_SECONDS)
        self._networks = TokenBuckets(lambda: TokenBucket(share, share * SAVED_SECONDS))

    def preparation(self, network: str) -> "Preparation":
        """Return the preparation of one request's document, which is charged to its network."""
        return Preparation(network, self._networks, self._process)


class Preparation:
    """The steps of preparing one document. The first is refused if there is no time left, and the
    others never are: what was spent on the document would be lost."""

    __slots__ = ("_has_begun", "_network", "_networks", "_process")

    def __init__(
        self, network: str, networks: TokenBuckets[TokenBucket], process: TokenBucket
    ) -> None:
        self._network = network
        self._networks = networks
        self._process = process
        self._has_begun = False

    @contextmanager
    def step(self) -> Iterator[None]:
        """Charge the work inside. Raises TooManyAttempts if the time of the network is used up, and
        Overloaded if that of all networks together is."""
        allowance = self._networks.of(self._network)
        if not self._has_begun:
            self._begin(allowance)
        # The processor's time: what other threads use in between is not charged.
        started = time.thread_time()
        try:
            yield
        finally:
            used = time.thread_time() - started
            allowance.take(used)
            self._process.take(used)

    def _begin(self, allowance: TokenBucket) -> None:
        if wait := allowance.wait():
            raise TooManyAttempts(ceil(wait), "Too many new documents.")
        if self._process.wait():
            raise Overloaded("The server is busy with new documents. Try again in a moment.")
        self._has_begun = True
