"""Rate limits: how often something may be tried. Each attempt is counted, however many one request
makes, and before any work is done. The only package that imports limits."""

from domain.rate_limits.limiter import IN_MEMORY, RateLimiter
from domain.rate_limits.rate_limit import RateLimit, RateLimits
from domain.rate_limits.redis_counts import RedisUnavailable

__all__ = ["IN_MEMORY", "RateLimit", "RateLimiter", "RateLimits", "RedisUnavailable"]
