"""No failure of Redis holds up a request for longer than a second, or ends the rate limits."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from domain.rate_limits import limiter
from tests.rate_limiters import (
    count_allowed,
    longest_wait,
    rate_limiter_on,
    until_available_again,
)
from tests.redis_groups import Cluster, Watched, running_cluster, running_sentinels
from tests.redis_server import REDIS_CLI, REDIS_PROGRAM, RedisServer, running_redis

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(not (REDIS_PROGRAM and REDIS_CLI), reason="needs redis-server"),
]

# A second, and what a busy machine adds.
A_SECOND = 1.9

Change = Callable[[RedisServer], object]


@pytest.fixture(autouse=True)
def _redis_is_tried_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "RETRY_REDIS_AFTER", timedelta(0))


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path, "--repl-diskless-sync-delay", "0") as server:
        yield server


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running_sentinels(tmp_path) as watched:
        yield watched


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path, replicas=1) as cluster:
        yield cluster


def configure(name: str, value: str) -> Change:
    def change(server: RedisServer) -> None:
        with server.client() as client:
            client.config_set(name, value)

    return change


def replicate(*primary: str) -> Change:
    def change(server: RedisServer) -> None:
        with server.client() as client:
            client.replicaof(*primary)

    return change


def load_slowly(server: RedisServer) -> None:
    """Restart a server that then takes minutes to read its file."""
    with server.client() as client:
        client.mset({f"key {n}": "x" * 100 for n in range(10_000)})
        client.save()
    server.stop()
    server.start("--key-load-delay", "50000", "--loading-process-events-interval-bytes", "1024")


def restart(server: RedisServer) -> None:
    server.stop()
    server.start()


@pytest.mark.parametrize(
    ("fail", "mend"),
    [
        pytest.param(RedisServer.freeze, RedisServer.thaw, id="frozen"),
        pytest.param(configure("maxmemory", "1"), configure("maxmemory", "0"), id="full"),
        pytest.param(replicate("127.0.0.1", "1"), replicate("NO", "ONE"), id="read-only"),
        pytest.param(load_slowly, restart, id="loading"),
        pytest.param(RedisServer.stop, RedisServer.start, id="stopped"),
    ],
)
async def test_a_failure_is_waited_for_once_and_logged_once(
    redis: RedisServer, caplog: pytest.LogCaptureFixture, fail: Change, mend: Change
) -> None:
    async with rate_limiter_on(redis.url) as rate_limiter:
        await count_allowed(rate_limiter, 1)
        fail(redis)

        assert await longest_wait(rate_limiter) < A_SECOND
        assert await count_allowed(rate_limiter, 5) == 3
        assert [record.levelno for record in caplog.records] == [logging.ERROR]

        mend(redis)
        await until_available_again(rate_limiter, caplog)
        assert len(caplog.records) == 2


async def test_flushed_scripts_are_loaded_again(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(redis.url) as rate_limiter:
        await count_allowed(rate_limiter, 2)
        with redis.client() as client:
            client.script_flush()

        assert await count_allowed(rate_limiter, 2) == 1
        assert caplog.messages == []


async def test_requests_that_wait_together_wait_for_one_second(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(redis.url) as rate_limiter:
        redis.freeze()
        waits = await asyncio.gather(*(longest_wait(rate_limiter, 1) for _ in range(50)))

        assert max(waits) < A_SECOND
        assert len(caplog.records) == 1


async def test_no_request_waits_for_a_second_try(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(redis.url) as rate_limiter:
        redis.freeze()
        await longest_wait(rate_limiter, 1)

        assert await longest_wait(rate_limiter, 1000) < 0.5


async def test_when_sentinels_replace_a_frozen_primary_the_new_one_counts(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(watched.url) as rate_limiter, rate_limiter_on(watched.url) as other:
        await count_allowed(rate_limiter, 1)
        watched.primary.freeze()
        assert await longest_wait(rate_limiter) < A_SECOND
        watched.wait_until_promoted()
        await until_available_again(rate_limiter, caplog)

        assert await count_allowed(rate_limiter, 2, "grace") == 2
        assert await count_allowed(other, 2, "grace") == 1


async def test_a_frozen_sentinel_is_passed_over(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(watched.url) as rate_limiter:
        watched.sentinels[0].freeze()
        assert await longest_wait(rate_limiter) < A_SECOND
        await until_available_again(rate_limiter, caplog)

        assert await count_allowed(rate_limiter, 5) == 3


async def test_when_a_cluster_replaces_a_frozen_node_it_counts_on(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(cluster.url) as rate_limiter:
        await count_allowed(rate_limiter, 1)
        cluster.nodes[0].freeze()
        assert await longest_wait(rate_limiter, 20) < A_SECOND
        await until_available_again(rate_limiter, caplog)

        assert await longest_wait(rate_limiter, 20) < A_SECOND
        assert len(caplog.records) == 2


async def test_a_cluster_with_a_full_node_is_left_as_a_whole(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(cluster.url) as rate_limiter:
        await count_allowed(rate_limiter, 1)
        configure("maxmemory", "1")(cluster.nodes[0])

        assert await longest_wait(rate_limiter, 200) < A_SECOND
        assert len(caplog.records) == 1
