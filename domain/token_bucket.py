"""Budgets that refill with time."""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

# How many budgets are remembered. Each takes a kilobyte at most.
REMEMBERED = 10_000


class TokenBucket:
    """Holds up to ``capacity`` units, and gets ``rate`` of them a second."""

    __slots__ = ("_at", "_capacity", "_left", "_rate")

    def __init__(self, rate: float, capacity: float) -> None:
        self._rate = rate
        self._capacity = capacity
        self._left = capacity
        self._at = time.monotonic()

    @property
    def left(self) -> float:
        """The units that are left: less than 0 if more was taken than there was. What is missing is
        at most a capacity."""
        now = time.monotonic()
        left = self._left + (now - self._at) * self._rate
        self._left = max(-self._capacity, min(self._capacity, left))
        self._at = now
        return self._left

    @property
    def is_full(self) -> bool:
        return self.left == self._capacity

    def take(self, units: float) -> None:
        """Take units, whether there are as many or not."""
        self._left -= units

    def wait(self) -> float:
        """Return the seconds until more than 0 units are left, or 0."""
        return 0 if (left := self.left) > 0 else -left / self._rate + 0.001


Bucket = TypeVar("Bucket", bound=TokenBucket)


class TokenBuckets(Generic[Bucket]):
    """A bucket for each network. Full ones are forgotten, because a new one is full, too."""

    def __init__(self, create: Callable[[], Bucket]) -> None:
        self._create = create
        self._buckets: dict[str, Bucket] = {}

    def of(self, network: str) -> Bucket:
        bucket = self._buckets.get(network)
        if bucket is None:
            if len(self._buckets) >= REMEMBERED:
                self._forget_full_ones()
            bucket = self._buckets[network] = self._create()
        return bucket

    def _forget_full_ones(self) -> None:
        used = {network: bucket for network, bucket in self._buckets.items() if not bucket.is_full}
        # One client does not have as many networks.
        self._buckets = used if len(used) < REMEMBERED else {}
