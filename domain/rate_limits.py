"""Rate limits: how often something may be tried. Each attempt is counted, however many one request
makes, and before any work is done. The only file that imports limits."""

import hashlib
import json
import logging
import math
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from cachetools import LRUCache
from limits import RateLimitItem, parse_many
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError, StorageError

from domain.errors import TooManyAttempts

logger = logging.getLogger("gatehouse")

IN_MEMORY = "memory://"

# A Redis that is slower than this is away.
REDIS_TIMEOUT = timedelta(seconds=1)
RETRY_REDIS_AFTER = timedelta(seconds=10)

# Each takes about a hundred bytes. Pushing one out takes as many others, and each network has its
# own limit.
REMEMBERED_KEYS = 50_000

# As many keys again that have used this part of their limit are remembered separately: attempts on
# many other keys do not push out a key that is refused, or soon will be.
NEARLY_FULL = 0.5

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """A number of attempts in a time, in one window or several: ``5/minute;20/hour;100/day``.

    With several, the waits grow with the number of attempts. Windows are moving: the number holds
    for any minute, hour or day.
    """

    name: str
    windows: tuple[RateLimitItem, ...]

    @classmethod
    def of(cls, name: str, text: str) -> "RateLimit":
        """Parse a setting. Raises ValueError for an invalid text, or a limit of zero."""
        windows = parse_many(text)
        if not all(window.amount for window in windows):
            raise ValueError
        for window in windows:
            # Each limit counts under its own name.
            window.namespace = name
        # The shortest first: an attempt that it refuses does not count in the longer ones.
        return cls(name, tuple(sorted(windows, key=lambda window: window.get_expiry())))


@dataclass(frozen=True, slots=True)
class RateLimits:
    """``account`` and ``network`` limit the passwords tried on one account and from one network,
    and ``code`` the codes of mails and authenticator apps tried by one account; ``registration``,
    ``refresh`` and ``ticket`` limit for each network registrations, refreshes and sign-ins that are
    begun by a passkey. ``mail_address`` and ``mail_network`` limit the mails that are requested
    for one address and from one network. ``write`` and ``written_kib`` limit what one user writes,
    by number and by size, and ``picture`` the pictures that one user uploads."""

    account: RateLimit
    code: RateLimit
    network: RateLimit
    registration: RateLimit
    mail_address: RateLimit
    mail_network: RateLimit
    refresh: RateLimit
    ticket: RateLimit
    write: RateLimit
    written_kib: RateLimit
    picture: RateLimit


class RateLimiter:
    """Counts attempts in this process or, with a ``redis://`` URL, in a Redis that processes share.

    When Redis is not available, each process counts for itself until it is back, and logs so once:
    users can sign in meanwhile. Raises ValueError for a URL that cannot be used.
    """

    def __init__(self, limits: RateLimits, storage_url: str = IN_MEMORY) -> None:
        self.limits = limits
        self._local = MovingWindowRateLimiter(_BoundedMemory())
        self._redis = None if storage_url == IN_MEMORY else _redis(storage_url)
        self._shared = MovingWindowRateLimiter(self._redis) if self._redis else None
        self._redis_is_down = False
        self._retry_redis_at = 0.0

    async def hit(self, limit: RateLimit, *key: str, cost: int = 1) -> None:
        """Count an attempt, or as many as it costs. Raises TooManyAttempts if it is over the limit;
        the caller must then not make it."""
        hashed = _hash(key)
        for window in limit.windows:
            if not await self._hit_window(window, hashed, cost):
                waits = [await self._wait(other, hashed, cost) for other in limit.windows]
                raise TooManyAttempts(max(1, *waits))

    async def wait(self, limit: RateLimit, *key: str) -> int:
        """Return the seconds until the next attempt is allowed, or 0."""
        hashed = _hash(key)
        return max([await self._wait(window, hashed, 1) for window in limit.windows])

    async def reset(self, limit: RateLimit, *key: str) -> None:
        """Forget the attempts, after one that succeeded."""
        hashed = _hash(key)
        for window in limit.windows:
            await self._clear(window, hashed)

    async def check_redis(self) -> None:
        """Check that Redis, if it is used, runs the scripts and accepts writes. Changes nothing: it
        deletes a key that does not exist. Raises OSError with the reason if Redis cannot be used.
        """
        if self._shared:
            window, key = self.limits.refresh.windows[0], _hash(("check",))
            try:
                await self._shared.get_window_stats(window, key)
                await self._shared.clear(window, key)
            except StorageError as error:
                raise OSError(str(error)) from None

    async def close(self) -> None:
        if self._redis:
            # The package opens connections, and has no method to close them.
            await self._redis.bridge.storage.aclose()  # type: ignore[attr-defined]

    async def _hit_window(self, window: RateLimitItem, key: str, cost: int) -> bool:
        # An attempt that costs more than a window holds takes all of it, and is not refused for
        # ever.
        cost = min(cost, window.amount)
        return await self._run(lambda limiter: limiter.hit(window, key, cost=cost))

    async def _wait(self, window: RateLimitItem, key: str, cost: int) -> int:
        """Return the seconds until the first attempts in the window expire, or 0 if it has room."""
        stats = await self._run(lambda limiter: limiter.get_window_stats(window, key))
        has_room = stats.remaining >= min(cost, window.amount)
        return 0 if has_room else math.ceil(stats.reset_time - time.time())

    async def _clear(self, window: RateLimitItem, key: str) -> None:
        await self._run(lambda limiter: limiter.clear(window, key))

    async def _run(
        self, operation: Callable[[MovingWindowRateLimiter], Awaitable[Answer]]
    ) -> Answer:
        if self._shared is None or time.monotonic() < self._retry_redis_at:
            return await operation(self._local)
        if self._redis_is_down:
            # Other requests do not wait for the outcome of this try.
            self._retry_redis_at = time.monotonic() + RETRY_REDIS_AFTER.total_seconds()
        try:
            answer = await operation(self._shared)
        except (StorageError, OSError) as error:
            if not self._redis_is_down:
                logger.error(
                    "Redis is not available, so this process counts attempts by itself: %s", error
                )
            self._redis_is_down = True
            self._retry_redis_at = time.monotonic() + RETRY_REDIS_AFTER.total_seconds()
            return await operation(self._local)
        if self._redis_is_down:
            logger.warning("Redis is available again and counts the attempts.")
            self._redis_is_down, self._retry_redis_at = False, 0
        return answer


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


class _BoundedMemory(MemoryStorage):
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


def _redis(url: str) -> RedisStorage:
    # Imported here: it takes a tenth of a second, and a single process does not need it.
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    try:
        storage = RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="gatehouse",
            socket_connect_timeout=REDIS_TIMEOUT.total_seconds(),
            socket_timeout=REDIS_TIMEOUT.total_seconds(),
            retry=Retry(NoBackoff(), retries=1),  # type: ignore[arg-type]
        )
        # Made but not opened: this refuses unknown parameters.
        storage.bridge.storage.connection_pool.make_connection()  # type: ignore[attr-defined]
    except (ConfigurationError, ValueError, TypeError):
        # Their message may quote the password.
        raise ValueError("RATE_LIMIT_STORAGE_URL is not a valid Redis URL.") from None
    return storage


def _hash(key: tuple[str, ...]) -> str:
    """Return a key of fixed length, without names and addresses of users. JSON writes no two lists
    alike."""
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()
