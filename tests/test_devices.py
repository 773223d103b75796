"""The device of a request: its address, its network and the name of its program."""

import pytest
from fastapi import FastAPI

from domain.devices import Device
from settings import Settings
from tests.conftest import client_of, settings_for
from tests.sessions import sessions
from tests.users import GraphQL, register_user


@pytest.mark.parametrize(
    ("host", "ip", "network"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
        ("nonsense", None, "unknown"),
        ("", None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_an_ipv6_network_is_a_64_bit_prefix(host: str | None, ip: str | None, network: str) -> None:
    device = Device.of(host)

    assert (device.ip, device.network) == (ip, network)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/130.0.0.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
            " (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
            "Mobile Safari on iOS",
        ),
        ("curl/8.7.1", "curl"),
        ("accounts-sync/2.1 (nightly)", "accounts-sync/2.1"),
        ("<script>alert(1)</script>", None),
        ("\x1b[31mred", None),
        ("<b>Call 555</b>/1 CFNetwork", None),
        ("\x85\x9b31m/1 CFNetwork", None),
        ("é", None),
        ("", None),
        (None, None),
    ],
)
def test_a_program_has_its_usual_name(user_agent: str | None, name: str | None) -> None:
    assert Device.of("127.0.0.1", user_agent).name == name


@pytest.mark.parametrize(
    "user_agent", ["Mozilla/5.0 (" + "; " * 50_000, "A" * 100_000, "a/" * 50_000]
)
def test_a_name_is_short_however_long_the_header(user_agent: str) -> None:
    assert len(Device.of("127.0.0.1", user_agent).name or "") <= 100


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, trusted_proxies="10.0.0.0/8, 192.0.2.1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # not from a trusted proxy
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # 1.1.1.1: the client's own claim
        ("10.1.2.3", "1.1.1.1, 198.51.100.1, 192.0.2.1", "198.51.100.1"),
        ("10.1.2.3", "2001:db8::1", "2001:db8::1"),
        ("10.1.2.3", None, "10.1.2.3"),
        ("10.1.2.3", "nonsense", None),
    ],
)
async def test_only_trusted_proxies_say_who_is_behind_them(
    app: FastAPI, peer: str, forwarded: str | None, ip: str | None
) -> None:
    async with client_of(app, ip=peer) as client:
        if forwarded:
            client.headers["X-Forwarded-For"] = forwarded
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        [session] = await sessions(graphql, ada)

    assert session["ip"] == ip
