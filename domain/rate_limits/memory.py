"""The counts of one process."""

import time
from collections import defaultdict, deque

from cachetools import LRUCache
from limits.aio.storage import MemoryStorage

# Each takes about a hundred bytes. Pushing one out takes as many others, and each network has its
# own limit.
REMEMBERED_KEYS = 50_000

# As many keys again that have used this part of their limit are remembered separately: attempts on
# many other keys do not push out a key that is refused, or soon will be.
NEARLY_FULL = 0.5


class _Attempts:
    """The attempts on one key: when each was made, and what it cost."""

    __slots__ = ("_entries", "total")

    def __init__(self) -> None:
        self._entries: deque[tuple[float, int]] = deque()
        self.total = 0

    @property
    def first(self) -> float:
        return self._entries[0][0]

    def add(self, at: float, cost: int) -> None:
        self._entries.append((at, cost))
        self.total += cost

    def forget_until(self, time: float) -> None:
        while self._entries and self._entries[0][0] <= time:
            self.total -= self._entries.popleft()[1]


class _Counts:
    """The attempts of one limit by key. Keys that are nearly full have a memory of their own."""

    def __init__(self) -> None:
        self._others: LRUCache[str, _Attempts] = LRUCache(REMEMBERED_KEYS)
        self._nearly_full: LRUCache[str, _Attempts] = LRUCache(REMEMBERED_KEYS)

    def get(self, key: str) -> _Attempts:
        return self._nearly_full.get(key) or self._others.get(key) or _Attempts()

    def put(self, key: str, attempts: _Attempts, limit: int) -> None:
        self.forget(key)
        memory = self._nearly_full if attempts.total >= NEARLY_FULL * limit else self._others
        memory[key] = attempts

    def forget(self, key: str) -> None:
        self._others.pop(key, None)
        self._nearly_full.pop(key, None)


class BoundedMemory(MemoryStorage):
    """The counts of this process.

    The package's own storage keeps every key until its window ends, and walks through all of them
    after each attempt.
    """

    def __init__(self) -> None:
        super().__init__()
        # Separate for each limit: attempts that cost an attacker nothing must not push out those
        # that cost a hash.
        self._limits: dict[str, _Counts] = defaultdict(_Counts)

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.time()
        attempts = self._within(key, now - expiry)
        if attempts.total + amount > limit:
            return False
        attempts.add(now, amount)
        self._of(key).put(key, attempts, limit)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = time.time()
        attempts = self._within(key, now - expiry)
        return (attempts.first, attempts.total) if attempts.total else (now, 0)

    async def clear(self, key: str) -> None:
        self._of(key).forget(key)

    def _within(self, key: str, since: float) -> _Attempts:
        attempts = self._of(key).get(key)
        attempts.forget_until(since)
        return attempts

    def _of(self, key: str) -> _Counts:
        limit, _, _ = key.partition("/")
        return self._limits[limit]
