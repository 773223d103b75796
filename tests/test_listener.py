"""The addresses that `gatehouse serve` listens on."""

import socket
from pathlib import Path

import httpx
import pytest

from server.listener import listening
from tests.conftest import SECRET_KEY, settings_for
from tests.databases import copy_of
from tests.ipv6 import needs_ipv6
from tests.servers import (
    free_port,
    running_server,
    wait_until,
)


def accepts(ip: str, port: int) -> bool:
    try:
        socket.create_connection((ip, port)).close()
    except OSError:
        return False
    return True


@needs_ipv6
@pytest.mark.parametrize(
    ("host", "workers"), [("::", "1"), ("0:0:0:0:0:0:0:0", "1"), ("localhost", "2")]
)
def test_both_protocols_are_served_with_the_addresses_of_their_clients(
    migrated_sqlite: Path, tmp_path: Path, host: str, workers: str
) -> None:
    url = copy_of(migrated_sqlite, tmp_path)
    settings = {"HOST": host, "WORKERS": workers, "LOG_FORMAT": "json"}
    settings |= {"METRICS_HOST": host, "METRICS_PORT": str(free_port())}
    with running_server(url, SECRET_KEY, tmp_path, **settings) as server:
        port = httpx.URL(server.url).port
        metrics = [accepts(ip, int(settings["METRICS_PORT"])) for ip in ("127.0.0.1", "::1")]
        by_ipv4 = httpx.get(f"http://127.0.0.1:{port}/health/ready")
        by_ipv6 = httpx.get(f"http://[::1]:{port}/health/ready")
        wait_until(lambda: server.logged().count('"route": "/health/ready"') == 2)

    assert by_ipv4.status_code == by_ipv6.status_code == 200
    assert metrics == [True, True]
    assert '"127.0.0.1"' in server.logged()
    assert '"::1"' in server.logged()
    assert "::ffff" not in server.logged()


@needs_ipv6
def test_one_address_of_ipv6_is_not_all_of_them(migrated_sqlite: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        # IPv4 has a server of its own on this port.
        port = str(other.getsockname()[1])
        url = copy_of(migrated_sqlite, tmp_path)
        with running_server(url, SECRET_KEY, tmp_path, HOST="::1", PORT=port) as server:
            wait_until(lambda: accepts("::1", int(port)))

    assert server.process.returncode == 0


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("::", "Address already in use"),
        ("localhost", "Address already in use"),
        ("no-such-host.invalid", "Name or service not known"),
        ("192.0.2.1", "Cannot assign requested address"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_said_in_a_line(host: str, why: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = settings_for("sqlite:///unused.db", host=host, port=port)
        with pytest.raises(SystemExit) as refused, listening(settings):
            pass

    assert str(refused.value) == (f"gatehouse: cannot listen on HOST {host} and PORT {port}: {why}")
