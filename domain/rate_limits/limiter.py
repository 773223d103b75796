"""Counting of attempts, in Redis as long as it is available."""

import asyncio
import hashlib
import json
import logging
import math
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from limits import RateLimitItem
from limits.aio.strategies import MovingWindowRateLimiter

from domain.errors import TooManyAttempts
from domain.rate_limits.memory import BoundedMemory
from domain.rate_limits.rate_limit import RateLimit, RateLimits
from domain.rate_limits.redis_counts import RedisCounts, RedisUnavailable

logger = logging.getLogger("gatehouse")

IN_MEMORY = "memory://"

RETRY_REDIS_AFTER = timedelta(seconds=10)

Answer = TypeVar("Answer")


class RateLimiter:
    """Counts attempts in this process or, with the URL of a Redis, in that one, which processes
    share.

    When Redis is not available, each process counts for itself until it is back, and logs so once:
    users can sign in meanwhile. Raises ValueError for a URL that cannot be used.
    """

    def __init__(self, limits: RateLimits, storage_url: str = IN_MEMORY) -> None:
        self.limits = limits
        self._local = MovingWindowRateLimiter(BoundedMemory())
        self._redis = None if storage_url == IN_MEMORY else RedisCounts(storage_url)
        self._redis_is_down = False
        self._retry_redis_at = 0.0
        self._retry: asyncio.Task[None] | None = None

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
        """Check that Redis, if it is used, counts. Raises RedisUnavailable with the reason if it
        does not."""
        if self._redis:
            await self._redis.check()

    async def close(self) -> None:
        if self._retry:
            self._retry.cancel()
            await asyncio.gather(self._retry, return_exceptions=True)
        if self._redis:
            await self._redis.close()

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
        if self._redis is None:
            return await operation(self._local)
        if not self._redis_is_down:
            try:
                return await self._redis.run(operation)
            except RedisUnavailable as error:
                self._leave_redis(error)
        elif time.monotonic() >= self._retry_redis_at:
            # No request waits for the outcome.
            self._retry_redis_at = math.inf
            self._retry = asyncio.create_task(self._try_redis(self._redis))
        return await operation(self._local)

    def _leave_redis(self, error: RedisUnavailable) -> None:
        # Requests that began together fail together.
        if not self._redis_is_down:
            logger.error(
                "Redis is not available, so this process counts attempts by itself: %s", error
            )
        self._redis_is_down = True
        self._retry_redis_at = time.monotonic() + RETRY_REDIS_AFTER.total_seconds()

    async def _try_redis(self, redis: RedisCounts) -> None:
        try:
            await redis.check()
        except RedisUnavailable:
            self._retry_redis_at = time.monotonic() + RETRY_REDIS_AFTER.total_seconds()
        else:
            logger.warning("Redis is available again and counts the attempts.")
            self._redis_is_down = False


def _hash(key: tuple[str, ...]) -> str:
    """Return a key of fixed length, without names and addresses of users. JSON writes no two lists
    alike."""
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()
