"""Counts in a Redis or a Valkey that processes share. The only file that imports redis-py."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisClusterStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from domain.deadline import within
from domain.errors import Unavailable
from domain.rate_limits.redis_url import Kind, RedisUrl, parse

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

# A Redis that is slower than this is not available.
REDIS_TIMEOUT = timedelta(seconds=1)

# To find the primary or the nodes again takes longer if some hosts do not respond.
CHECK_TIMEOUT = timedelta(seconds=5)

# What is counted to check Redis. A Cluster spreads that many keys over all its nodes.
CHECK_WINDOW = RateLimitItemPerMinute(1, namespace="check")
CHECK_KEYS = tuple(map(str, range(64)))

# As many as requests need: redis-py refuses the next one, and does not let it wait.
MAX_CONNECTIONS = 10_000

Answer = TypeVar("Answer")


class RedisUnavailable(Exception):
    """Redis did not count. The message has the reason."""


class RedisCounts:
    """Counts attempts in a Redis. Raises ValueError for a URL that cannot be used."""

    def __init__(self, url: str) -> None:
        self._connections = _open(parse(url))
        self._limiter = MovingWindowRateLimiter(self._connections.storage)

    async def run(
        self, operation: Callable[[MovingWindowRateLimiter], Awaitable[Answer]]
    ) -> Answer:
        """Return what an operation returns. Raises RedisUnavailable."""
        return await _within(REDIS_TIMEOUT, self._run(operation))

    async def check(self) -> None:
        """Check on new connections that Redis counts: that it is not read-only, its memory is not
        full, and no node of a Cluster is missing. Counts attempts on keys of its own, and deletes
        them. Raises RedisUnavailable.
        """
        await _within(CHECK_TIMEOUT, self._check())

    async def close(self) -> None:
        """Close all connections. Later calls open new ones."""
        for close in self._connections.close:
            await close()

    async def _run(
        self, operation: Callable[[MovingWindowRateLimiter], Awaitable[Answer]]
    ) -> Answer:
        try:
            return await operation(self._limiter)
        except Exception:
            # The connection may be one to a former primary. redis-py opens it to the same server
            # again, and asks the Sentinels only for a new one.
            await self._connections.close_idle()
            return await operation(self._limiter)

    async def _check(self) -> None:
        await self.close()
        for key in CHECK_KEYS:
            await self._limiter.hit(CHECK_WINDOW, key)
            await self._limiter.clear(CHECK_WINDOW, key)


async def _within(limit: timedelta, work: Awaitable[Answer]) -> Answer:
    try:
        # Does not wait for redis-py either, which takes its time to close a connection.
        return await within(limit, work)
    except Unavailable:
        raise RedisUnavailable(f"no response within {limit.total_seconds():.0f} s") from None
    except Exception as error:
        # Of any class: that of a Cluster's client, for one, is no RedisError.
        raise RedisUnavailable(_reason(error)) from None


def _reason(error: Exception) -> str:
    from redis.asyncio.sentinel import MasterNotFoundError
    from redis.exceptions import MovedError

    if isinstance(error, MovedError):
        return "this is a node of a Cluster, so begin the URL with redis+cluster://"
    if isinstance(error, MasterNotFoundError):
        # Its message has the representation of each client.
        return "no Sentinel that responds names a primary for the service"
    return str(error) or type(error).__name__


@dataclass(frozen=True, slots=True)
class _Connections:
    storage: RedisStorage
    close: Sequence[Callable[[], Awaitable[None]]]
    close_idle: Callable[[], Awaitable[None]]


def _open(url: RedisUrl) -> _Connections:
    """Return where to count. The first attempt opens a connection."""
    opened = {Kind.SENTINEL: _by_sentinels, Kind.CLUSTER: _cluster}.get(url.kind, _server)
    return opened(url, _options(url))


def _server(url: RedisUrl, options: dict[str, Any]) -> _Connections:
    from redis.asyncio import Redis

    if url.kind is Kind.SOCKET:
        options["unix_socket_path"] = url.socket
    else:
        [(options["host"], options["port"])] = url.hosts
    return _in_pool(Redis(db=url.db, **options).connection_pool)


def _by_sentinels(url: RedisUrl, options: dict[str, Any]) -> _Connections:
    from redis.asyncio import Sentinel

    to_sentinels = options | {
        "username": url.sentinel_username,
        "password": url.sentinel_password,
    }
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        url.hosts, sentinel_kwargs=to_sentinels, db=url.db, **options
    )
    return _in_pool(sentinel.master_for(url.service).connection_pool, sentinel.aclose)


def _in_pool(pool: "ConnectionPool", *close_others: Callable[[], Awaitable[None]]) -> _Connections:
    return _Connections(
        _storage(RedisStorage, connection_pool=pool),
        close=(pool.disconnect, *close_others),
        close_idle=partial(pool.disconnect, inuse_connections=False),
    )


def _cluster(url: RedisUrl, options: dict[str, Any]) -> _Connections:
    from redis.asyncio.cluster import ClusterNode

    storage = _storage(
        RedisClusterStorage,
        startup_nodes=[ClusterNode(host, port) for host, port in url.hosts],
        # When all addresses have changed, only those of the URL are right.
        dynamic_startup_nodes=False,
        **options,
    )
    close = storage.bridge.storage.aclose  # type: ignore[attr-defined]
    # The client itself leaves nodes that have failed.
    return _Connections(storage, close=(close,), close_idle=partial(asyncio.sleep, 0))


def _storage(storage: type[RedisStorage], **options: Any) -> RedisStorage:
    scheme = "redis+cluster" if storage is RedisClusterStorage else "redis"
    return storage(
        f"async+{scheme}://", implementation="redispy", key_prefix="gatehouse", **options
    )


def _options(url: RedisUrl) -> dict[str, Any]:
    """Return redis-py's arguments for each connection."""
    # Imported here: it takes a tenth of a second, and a single process does not need it.
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    seconds = REDIS_TIMEOUT.total_seconds()
    return {
        "username": url.username,
        "password": url.password,
        "socket_connect_timeout": seconds,
        "socket_timeout": seconds,
        "retry": Retry(NoBackoff(), retries=1),
        "max_connections": MAX_CONNECTIONS,
        **({"protocol": url.protocol} if url.protocol else {}),
        **({"ssl": True, **url.tls} if url.tls is not None else {}),
    }
