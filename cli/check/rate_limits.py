"""Check that the rate limits are low enough, and that all processes share them."""

import asyncio
import math
from collections.abc import Iterator

from api.services import create_app_state
from cli.check.findings import Finding, ok, problem, warning
from domain.rate_limits import IN_MEMORY, RateLimit, RedisUnavailable
from settings import Settings

_STORAGE = "RATE_LIMIT_STORAGE_URL"

# Attempts in any hour. For an account: OWASP ASVS 4.0.3, 2.2.1. For a network: a hundred times the
# default, which no network with several thousand users reaches.
_MAX_PER_HOUR = {
    "login_limit_per_account": 100,
    "code_limit_per_account": 100,
    "ticket_limit_per_network": 60_000,
    "login_limit_per_network": 60_000,
    "register_limit_per_network": 6_000,
    "mail_limit_per_address": 500,
    "mail_limit_per_network": 6_000,
    "refresh_limit_per_network": 3_600_000,
    "write_limit_per_user": 100_000,
    "write_kib_limit_per_user": 1_024_000,
    "picture_limit_per_user": 1_000,
}
_HOUR = 3600


def rate_limit_sizes(settings: Settings) -> Iterator[Finding]:
    for name, most in _MAX_PER_HOUR.items():
        # The settings are valid: `check` has created the limits.
        windows = RateLimit.of(name, getattr(settings, name)).windows
        allowed = min(w.amount * math.ceil(_HOUR / w.get_expiry()) for w in windows)
        message = f"allows {allowed:,} attempts in an hour"
        if allowed > most:
            yield problem(name.upper(), f"{message}: too many above {most:,}")
        else:
            yield ok(name.upper(), message)


def rate_limits(settings: Settings) -> Iterator[Finding]:
    if settings.rate_limit_storage_url.get_secret_value() != IN_MEMORY:
        yield asyncio.run(_redis(settings))
    elif settings.workers > 1:
        yield warning(
            _STORAGE,
            f"is {IN_MEMORY}: each of {settings.workers} workers has its own rate limits",
        )
    else:
        yield ok(_STORAGE, f"{IN_MEMORY}, which is enough for the one process of WORKERS=1")


async def _redis(settings: Settings) -> Finding:
    services = create_app_state(settings).services
    try:
        await services.rate_limiter.check_redis()
    except RedisUnavailable as error:
        return problem(_STORAGE, f"cannot use Redis: {error}")
    finally:
        await services.close()
    return ok(_STORAGE, "Redis, shared by all processes")
