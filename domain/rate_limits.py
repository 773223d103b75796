"""How often anyone may try. Counted for each attempt, however many of them one request makes, and before the attempt:
what is refused here costs no hash. The only file that names limits."""

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
PATIENCE = timedelta(seconds=1)
ASK_AGAIN_AFTER = timedelta(seconds=10)

# Each takes some hundred bytes. Who wants one forgotten must touch as many others, and each network has its ceiling.
REMEMBERED_KEYS = 50_000

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Ceiling:
    """So many in so long, in one window or several: ``5/minute;20/hour;100/day``. With several, waits grow with the
    number of attempts. Windows move: there are never more in any minute, hour or day."""

    name: str
    windows: tuple[RateLimitItem, ...]

    @classmethod
    def of(cls, name: str, text: str) -> "Ceiling":
        """Raises ValueError for a text that is no ceiling, or one that nobody is under."""
        windows = parse_many(text)
        if not all(window.amount for window in windows):
            raise ValueError
        for window in windows:
            # Each ceiling is counted under its own name.
            window.namespace = name
        # The shortest first: what it refuses uses up nothing of the longer ones.
        return cls(name, tuple(sorted(windows, key=lambda window: window.get_expiry())))


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What is counted: passwords tried on one account, and from one network; registrations and refreshes from one
    network."""

    account: Ceiling
    network: Ceiling
    registration: Ceiling
    refresh: Ceiling


class Throttle:
    """Counts in this process or, with a ``redis://`` URL, together with all that share that Redis.

    When Redis is away each process counts for itself until it is back, and says so once: people can log in meanwhile.
    Raises ValueError for a URL that cannot be used.
    """

    def __init__(self, ceilings: Ceilings, storage_url: str = IN_MEMORY) -> None:
        self.ceilings = ceilings
        self._here = MovingWindowRateLimiter(_BoundedMemory())
        self._redis = None if storage_url == IN_MEMORY else _redis(storage_url)
        self._shared = MovingWindowRateLimiter(self._redis) if self._redis else None
        self._is_away = False
        self._ask_again_at = 0.0

    async def admit(self, ceiling: Ceiling, *whom: str) -> None:
        """Count one attempt. Raises TooManyAttempts, and then the attempt must not be made."""
        key = _key(whom)
        for window in ceiling.windows:
            if not await self._hit(window, key):
                waits = [await self._wait(other, key) for other in ceiling.windows]
                raise TooManyAttempts(max(1, *waits))

    async def forgive(self, ceiling: Ceiling, *whom: str) -> None:
        """Forget the attempts of someone who has proven who they are."""
        key = _key(whom)
        for window in ceiling.windows:
            await self._clear(window, key)

    async def try_redis(self) -> None:
        """Count an attempt of nobody's in Redis, if that is where they are counted. Raises OSError, which says why, when
        it cannot be."""
        if self._shared:
            try:
                await self._shared.hit(self.ceilings.refresh.windows[0], _key(("nobody",)))
            except StorageError as error:
                raise OSError(str(error)) from None

    async def close(self) -> None:
        if self._redis:
            # The package opens connections and has no word for closing them.
            await self._redis.bridge.storage.aclose()  # type: ignore[attr-defined]

    async def _hit(self, window: RateLimitItem, key: str) -> bool:
        return await self._ask(lambda limiter: limiter.hit(window, key))

    async def _wait(self, window: RateLimitItem, key: str) -> int:
        """How many seconds until a window that is full has room."""
        stats = await self._ask(lambda limiter: limiter.get_window_stats(window, key))
        return 0 if stats.remaining > 0 else math.ceil(stats.reset_time - time.time())

    async def _clear(self, window: RateLimitItem, key: str) -> None:
        await self._ask(lambda limiter: limiter.clear(window, key))

    async def _ask(
        self, question: Callable[[MovingWindowRateLimiter], Awaitable[Answer]]
    ) -> Answer:
        if self._shared is None or time.monotonic() < self._ask_again_at:
            return await question(self._here)
        if self._is_away:
            # Whoever asks meanwhile need not wait for what this one learns.
            self._ask_again_at = time.monotonic() + ASK_AGAIN_AFTER.total_seconds()
        try:
            answer = await question(self._shared)
        except (StorageError, OSError) as error:
            if not self._is_away:
                logger.error("Redis is away, so attempts are counted here alone: %s", error)
            self._is_away = True
            self._ask_again_at = time.monotonic() + ASK_AGAIN_AFTER.total_seconds()
            return await question(self._here)
        if self._is_away:
            logger.warning("Redis is back, and attempts are counted there again.")
            self._is_away, self._ask_again_at = False, 0
        return answer


class _BoundedMemory(MemoryStorage):
    """The windows of this process: the times of the attempts by key.

    The package's own storage holds every key for as long as its window, and walks through all of them after each attempt.
    """

    def __init__(self) -> None:
        super().__init__()
        # One for each ceiling: what costs an attacker nothing must not push out what costs a hash each.
        self._ceilings: dict[str, LRUCache[str, deque[float]]] = defaultdict(
            lambda: LRUCache(REMEMBERED_KEYS)
        )

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = time.time()
        attempts = self._within(key, now - expiry)
        if len(attempts) + amount > limit:
            return False
        attempts.extend([now] * amount)
        self._of(key)[key] = attempts
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = time.time()
        attempts = self._within(key, now - expiry)
        return (attempts[0], len(attempts)) if attempts else (now, 0)

    async def clear(self, key: str) -> None:
        self._of(key).pop(key, None)

    def _within(self, key: str, since: float) -> deque[float]:
        attempts = self._of(key).get(key) or deque()
        while attempts and attempts[0] <= since:
            attempts.popleft()
        return attempts

    def _of(self, key: str) -> LRUCache[str, deque[float]]:
        ceiling, _, _ = key.partition("/")
        return self._ceilings[ceiling]


def _redis(url: str) -> RedisStorage:
    # Imported where it is needed: it takes a tenth of a second, and one machine alone needs none.
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    try:
        storage = RedisStorage(
            f"async+{url}",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix="gatehouse",
            socket_connect_timeout=PATIENCE.total_seconds(),
            socket_timeout=PATIENCE.total_seconds(),
            retry=Retry(NoBackoff(), retries=1),  # type: ignore[arg-type]
        )
        # Made and not opened: it is what refuses a parameter that it does not know.
        storage.bridge.storage.connection_pool.make_connection()  # type: ignore[attr-defined]
    except (ConfigurationError, ValueError, TypeError):
        # Whatever they say of it may quote the password.
        raise ValueError("RATE_LIMIT_STORAGE_URL is no Redis URL that can be used.") from None
    return storage


def _key(whom: tuple[str, ...]) -> str:
    """Of one length, without the names and addresses of people; of JSON, in which no two lists are written alike."""
    return hashlib.sha256(json.dumps(whom).encode()).hexdigest()
