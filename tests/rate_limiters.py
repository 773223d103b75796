"""Rate limiters of three attempts in an hour."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from itertools import count

import anyio
import pytest

from domain.errors import TooManyAttempts
from domain.rate_limits import RateLimit, RateLimiter, RateLimits
from tests.servers import TIMEOUT_SECONDS

_numbers = count()


@asynccontextmanager
async def rate_limiter_on(url: str) -> AsyncIterator[RateLimiter]:
    limit = RateLimit.of("account", "3/hour;5/day")
    rate_limiter = RateLimiter(RateLimits(*[limit] * len(fields(RateLimits))), url)
    try:
        yield rate_limiter
    finally:
        await rate_limiter.close()


async def count_allowed(rate_limiter: RateLimiter, times: int, key: str = "ada") -> int:
    allowed = 0
    for _ in range(times):
        try:
            await rate_limiter.hit(rate_limiter.limits.account, key)
        except TooManyAttempts:
            continue
        allowed += 1
    return allowed


async def longest_wait(rate_limiter: RateLimiter, times: int = 5) -> float:
    """Make attempts on different keys, and return the seconds that the slowest took."""
    durations = []
    for _ in range(times):
        start = time.monotonic()
        await rate_limiter.hit(rate_limiter.limits.account, f"user {next(_numbers)}")
        durations.append(time.monotonic() - start)
    return max(durations)


async def until_available_again(rate_limiter: RateLimiter, log: pytest.LogCaptureFixture) -> None:
    """Make requests until one of them has led back to Redis."""
    with anyio.fail_after(TIMEOUT_SECONDS):
        while "Redis is available again" not in log.text:
            await rate_limiter.wait(rate_limiter.limits.account, "somebody")
            await anyio.sleep(0.02)
