"""Check that all processes share their rate limits."""

import asyncio
from collections.abc import Iterator

from api.services import create_app_state
from cli.check.findings import Finding, ok, problem, warning
from domain.rate_limits import IN_MEMORY
from settings import Settings

_STORAGE = "RATE_LIMIT_STORAGE_URL"


def rate_limits(settings: Settings) -> Iterator[Finding]:
    if settings.rate_limit_storage_url.get_secret_value() != IN_MEMORY:
        yield asyncio.run(_redis(settings))
    elif settings.workers > 1:
        yield warning(
            _STORAGE,
            f"is {IN_MEMORY}: each of {settings.workers} workers has its own rate limits",
        )
    else:
        yield ok(_STORAGE, f"{IN_MEMORY}, which is enough for one process")


async def _redis(settings: Settings) -> Finding:
    services = create_app_state(settings).services
    try:
        await services.rate_limiter.check_redis()
    except OSError as error:
        return problem(_STORAGE, f"cannot use Redis: {error}")
    finally:
        await services.close()
    return ok(_STORAGE, "Redis, shared by all processes")
