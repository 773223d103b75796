"""Rate limits that processes share in Redis."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from domain.errors import TooManyAttempts
from domain.rate_limits import limiter
from tests.conftest import SECRET_KEY
from tests.operations import LOGIN, REGISTER
from tests.rate_limiters import count_allowed, rate_limiter_on, until_available_again
from tests.redis_server import REDIS_PROGRAM, RedisServer
from tests.servers import running_server

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(not REDIS_PROGRAM, reason="needs redis-server"),
]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    redis = RedisServer(tmp_path)
    yield redis
    redis.stop()


def test_two_processes_count_together(
    redis: RedisServer, database_url: str, tmp_path: Path
) -> None:
    limits = {"RATE_LIMIT_STORAGE_URL": redis.url, "LOGIN_LIMIT_PER_ACCOUNT": "5/hour"}
    login = {"query": LOGIN, "variables": {"username": "Ada", "password": "wrong engine"}}
    with (
        running_server(database_url, SECRET_KEY, tmp_path, **limits) as one,
        running_server(database_url, SECRET_KEY, tmp_path, **limits) as two,
    ):
        answers = [
            httpx.post(f"{server.url}/graphql", json=login).json()
            for _ in range(4)
            for server in (one, two)
        ]

    codes = [answer["errors"][0]["extensions"]["code"] for answer in answers]
    assert codes == ["INVALID_CREDENTIALS"] * 5 + ["TOO_MANY_ATTEMPTS"] * 3


async def test_waits_are_as_long_as_in_memory(redis: RedisServer) -> None:
    async with rate_limiter_on(redis.url) as rate_limiter:
        await count_allowed(rate_limiter, 3)
        with pytest.raises(TooManyAttempts) as refused:
            await rate_limiter.hit(rate_limiter.limits.account, "ada")
        await rate_limiter.reset(rate_limiter.limits.account, "ada")

        assert 3590 < refused.value.retry_after <= 3600
        assert await count_allowed(rate_limiter, 4) == 3


async def test_without_redis_each_counts_for_itself_and_says_so_once(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(redis.url) as rate_limiter, rate_limiter_on(redis.url) as other:
        assert await count_allowed(rate_limiter, 2) + await count_allowed(other, 2) == 3
        redis.stop()

        assert await count_allowed(rate_limiter, 5) == 3
        assert await count_allowed(other, 5) == 3
        assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
        redis.start()


async def test_a_redis_that_is_back_is_used_again(
    redis: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "RETRY_REDIS_AFTER", timedelta(0))
    async with rate_limiter_on(redis.url) as rate_limiter:
        redis.stop()
        await count_allowed(rate_limiter, 5)
        redis.start()
        await until_available_again(rate_limiter, caplog)

        assert await count_allowed(rate_limiter, 5) == 3
        assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


def test_a_login_waits_a_second_for_a_frozen_redis_and_the_next_none(
    redis: RedisServer, database_url: str, tmp_path: Path
) -> None:
    ada = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}
    with running_server(
        database_url, SECRET_KEY, tmp_path, RATE_LIMIT_STORAGE_URL=redis.url
    ) as server:
        httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": ada})
        redis.freeze()
        del ada["email"]
        logins = [
            httpx.post(f"{server.url}/graphql", json={"query": LOGIN, "variables": ada})
            for _ in range(3)
        ]
        ready = httpx.get(f"{server.url}/health/ready")

    first, *others = (login.elapsed.total_seconds() for login in logins)
    assert not any("errors" in login.json() for login in logins)
    assert first < 2
    assert max(others) < 1
    assert ready.status_code == 200


def test_logins_work_without_redis(redis: RedisServer, database_url: str, tmp_path: Path) -> None:
    ada = {"username": "Ada", "email": "ada@example.com", "password": "analytical engine"}
    with running_server(
        database_url, SECRET_KEY, tmp_path, RATE_LIMIT_STORAGE_URL=redis.url
    ) as server:
        httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": ada})
        redis.stop()
        del ada["email"]
        logins = [
            httpx.post(f"{server.url}/graphql", json={"query": LOGIN, "variables": ada}).json()
            for _ in range(3)
        ]
        redis.start()

    assert not any("errors" in login for login in logins)
    assert server.logged().count("Redis is not available") == 1
    assert "Traceback" not in server.logged()
