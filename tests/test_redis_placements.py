"""Rate limits in a Redis by a socket, with TLS, with users, behind Sentinels, or in a Cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.rate_limits import RedisUnavailable
from tests.certificates import trusted_certificate
from tests.rate_limiters import count_allowed, longest_wait, rate_limiter_on
from tests.redis_groups import Cluster, Watched, running_cluster, running_sentinels
from tests.redis_server import REDIS_CLI, REDIS_PROGRAM, RedisServer, running_redis

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.skipif(not (REDIS_PROGRAM and REDIS_CLI), reason="needs redis-server"),
]


PASSWORD = "hunter2"

# As docs/how-to/redis.md has them.
PERMISSIONS = (
    "~gatehouse:*",
    "+evalsha",
    "+script|load",
    "+lindex",
    "+lpush",
    "+ltrim",
    "+expire",
    "+del",
    "+cluster|slots",
    "+command",
)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path) as redis:
        yield redis


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running_sentinels(tmp_path) as watched:
        yield watched


async def both_count_together(url: str, log: pytest.LogCaptureFixture) -> bool:
    """Return whether two processes count together on several keys, and nothing was logged."""
    async with rate_limiter_on(url) as one, rate_limiter_on(url) as two:
        # The first connections take long on a busy machine.
        await one.check_redis()
        await two.check_redis()
        counts = [
            await count_allowed(one, 2, key) + await count_allowed(two, 2, key)
            for key in map(str, range(10))
        ]
    return counts == [3] * 10 and not log.messages


async def can_count(url: str) -> bool:
    async with rate_limiter_on(url) as rate_limiter:
        try:
            await rate_limiter.check_redis()
        except RedisUnavailable:
            return False
    return True


def only_user(server: RedisServer, name: str, *permissions: str) -> None:
    """Let one user connect to a server, with the password, and no other."""
    with server.client() as client:
        client.execute_command("ACL SETUSER", name, "on", f">{PASSWORD}", *permissions)
        client.execute_command("ACL SETUSER", "default", "off")


def client_files(folder: Path) -> str:
    certificate = f"{folder}/certificate.pem"
    return f"ssl_ca_certs={certificate}&ssl_certfile={certificate}&ssl_keyfile={folder}/key.pem"


async def test_sentinels_name_the_primary(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    assert await both_count_together(watched.url, caplog)


async def test_after_a_planned_failover_the_new_primary_counts(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    async with rate_limiter_on(watched.url) as rate_limiter, rate_limiter_on(watched.url) as other:
        await count_allowed(rate_limiter, 2)
        watched.fail_over()

        assert await longest_wait(rate_limiter) < 1.9
        assert await count_allowed(rate_limiter, 1) + await count_allowed(other, 1) == 1
        assert caplog.messages == []


async def test_a_service_that_no_sentinel_knows_is_said(watched: Watched) -> None:
    async with rate_limiter_on(watched.url.replace("/gatehouse", "/another")) as rate_limiter:
        with pytest.raises(RedisUnavailable, match="no Sentinel that responds names a primary"):
            await rate_limiter.check_redis()


async def test_a_cluster_counts_on_all_nodes(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    assert await both_count_together(cluster.url, caplog)


async def test_a_moved_slot_is_followed(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    async with rate_limiter_on(cluster.url) as rate_limiter:
        await count_allowed(rate_limiter, 2)
        for key in cluster.kept_keys():
            cluster.move(key)

        assert await count_allowed(rate_limiter, 2) == 1
        assert caplog.messages == []


async def test_a_socket_is_connected_to(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running_redis(tmp_path, "--unixsocket", "redis.sock", "--requirepass", PASSWORD):
        url = f"unix://{tmp_path}/redis.sock?db=1&password={PASSWORD}"

        assert await both_count_together(url, caplog)


async def test_a_user_needs_few_permissions(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    only_user(redis, "gatehouse", *PERMISSIONS)

    assert await both_count_together(f"redis://gatehouse:{PASSWORD}@{redis.address}/0", caplog)
    assert await can_count(f"redis://gatehouse:{PASSWORD}@{redis.address}/0")


@pytest.mark.parametrize("user", ["gatehouse:wrong@", ":wrong@", ""])
async def test_a_wrong_password_is_said_and_never_shown(redis: RedisServer, user: str) -> None:
    with redis.client() as client:
        client.execute_command("CONFIG SET", "requirepass", PASSWORD)
    async with rate_limiter_on(f"redis://{user}{redis.address}/0") as rate_limiter:
        with pytest.raises(RedisUnavailable) as refused:
            await rate_limiter.check_redis()

    assert "wrong" not in str(refused.value).replace("wrong number", "")


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a certificate that this process does not trust."""
    trusted_certificate(tmp_path, monkeypatch)
    monkeypatch.delenv("SSL_CERT_FILE")
    return tmp_path


async def test_tls_with_a_certificate_of_the_client(
    tmp_path: Path, certificates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_redis(tmp_path, tls=certificates) as redis:
        url = f"rediss://{redis.address}/0"

        assert await both_count_together(f"{url}?{client_files(certificates)}", caplog)
        assert not await can_count(url)
        assert not await can_count(f"{url}?ssl_ca_certs={certificates}/certificate.pem")


async def test_the_certificate_must_be_of_the_host(tmp_path: Path, certificates: Path) -> None:
    files = client_files(certificates)
    with running_redis(tmp_path, tls=certificates) as redis:
        assert await can_count(f"rediss://127.0.0.1:{redis.port}/0?{files}")
        assert not await can_count(f"rediss://localhost:{redis.port}/0?{files}")
        assert await can_count(f"rediss://localhost:{redis.port}?{files}&ssl_check_hostname=false")


async def test_sentinels_with_tls(
    tmp_path: Path, certificates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_sentinels(tmp_path, tls=certificates) as watched:
        url = watched.url.replace("redis", "rediss", 1)

        assert await both_count_together(f"{url}?{client_files(certificates)}", caplog)


async def test_a_cluster_with_tls(
    tmp_path: Path, certificates: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_cluster(tmp_path, tls=certificates) as cluster:
        url = cluster.url.replace("redis", "rediss", 1)

        assert await both_count_together(f"{url}?{client_files(certificates)}", caplog)


async def test_a_cluster_with_a_password(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    for node in cluster.nodes:
        only_user(node, "gatehouse", *PERMISSIONS)
    hosts = cluster.url.removeprefix("redis+cluster://")

    assert await both_count_together(f"redis+cluster://gatehouse:{PASSWORD}@{hosts}", caplog)
    assert not await can_count(f"redis+cluster://gatehouse:wrong@{hosts}")


async def test_sentinels_have_a_password_of_their_own(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    with watched.primary.client() as client:
        client.execute_command("ACL SETUSER", "gatehouse", "on", f">{PASSWORD}", *PERMISSIONS)
    for sentinel in watched.sentinels:
        only_user(sentinel, "watcher", "+sentinel|masters")
    hosts = watched.url.removeprefix("redis+sentinel://")
    to_sentinels = f"sentinel_username=watcher&sentinel_password={PASSWORD}"
    url = f"redis+sentinel://gatehouse:{PASSWORD}@{hosts}"

    assert await both_count_together(f"{url}?{to_sentinels}", caplog)
    assert not await can_count(url)
    assert not await can_count(f"redis+sentinel://gatehouse:wrong@{hosts}?{to_sentinels}")
