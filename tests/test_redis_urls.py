"""What a Redis URL says."""

import pytest

from domain.rate_limits.redis_url import Kind, parse


@pytest.mark.parametrize(
    ("url", "kind", "hosts"),
    [
        ("redis://one", Kind.SERVER, (("one", 6379),)),
        ("VALKEY://[2001:db8::1]:1/0", Kind.SERVER, (("2001:db8::1", 1),)),
        ("redis+sentinel://one,[::1]:2/service", Kind.SENTINEL, (("one", 26379), ("::1", 2))),
        ("valkeys+cluster://one:1,two", Kind.CLUSTER, (("one", 1), ("two", 6379))),
        ("redis+unix:///run/redis.sock", Kind.SOCKET, ()),
    ],
)
def test_a_url_has_hosts_with_ports(
    url: str, kind: Kind, hosts: tuple[tuple[str, int], ...]
) -> None:
    found = parse(url)

    assert (found.kind, found.hosts) == (kind, hosts)


@pytest.mark.parametrize(
    "url",
    [
        "redis://ada:p%40ss@one/2",
        "redis://one?db=2&username=ada&password=p%40ss",
        "unix://ada:p%40ss@/run/redis.sock?db=2",
        "redis+sentinel://ada:p%40ss@one/service/2",
    ],
)
def test_credentials_and_the_database_are_read_from_either_place(url: str) -> None:
    found = parse(url)

    assert (found.username, found.password, found.db) == ("ada", "p@ss", 2)


def test_the_passwords_are_not_in_the_representation() -> None:
    url = "redis+sentinel://:hunter2@one/service?sentinel_password=hunter2"

    assert "hunter2" not in repr(parse(url))


def test_tls_is_required_and_verified_by_default() -> None:
    assert parse("redis://one").tls is None
    assert parse("rediss://one").tls == {}
    assert parse("rediss://one?ssl_check_hostname=false").tls == {"ssl_check_hostname": False}
