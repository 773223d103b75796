"""`gatehouse health`: whether the server of this machine responds, for the check of a container."""

import socket
from pathlib import Path
from threading import Thread

import pytest

from cli.main import main
from tests.commands import process_of
from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.ipv6 import needs_ipv6
from tests.servers import TIMEOUT_SECONDS, Server, free_port, running_server


def health(folder: Path, *options: str, **settings: str) -> str:
    """Run the command, and return the line that it ends with: empty if the server responds."""
    with process_of(["health", *options], folder, {"SECRET_KEY": SECRET_KEY} | settings):
        try:
            main()
        except SystemExit as end:
            return str(end.code or "")
    return ""


def port_of(server: Server) -> str:
    return server.url.rpartition(":")[2]


@pytest.mark.any_database
def test_it_tells_a_server_from_none(tmp_path: Path, shared_server: Server) -> None:
    port = port_of(shared_server)

    assert health(tmp_path, PORT=port) == health(tmp_path, "--ready", PORT=port) == ""
    assert health(tmp_path, PORT="1") == (
        "gatehouse: no response on HOST 127.0.0.1 and PORT 1: Connection refused"
    )


@pytest.mark.any_database
def test_it_asks_where_the_settings_say(tmp_path: Path, shared_server: Server) -> None:
    (tmp_path / ".env").write_text(f"GATEHOUSE_PORT={port_of(shared_server)}\nHOST=0.0.0.0\n")

    assert health(tmp_path, PORT="1") == ""


@needs_ipv6
def test_a_server_of_both_protocols_is_found_at_each_of_its_names(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    url, port = copy_of(migrated_sqlite, tmp_path), str(free_port())
    hosts = ("::", "[::]", "0:0:0:0:0:0:0:0", "::1", "localhost", "0.0.0.0")
    with running_server(url, SECRET_KEY, tmp_path, HOST="::", PORT=port):
        found = {host: health(tmp_path, HOST=host, PORT=port) for host in hosts}

    assert found == dict.fromkeys(hosts, "")


@pytest.mark.any_database
def test_without_ipv6_every_address_is_ipv4(tmp_path: Path, shared_server: Server) -> None:
    """A server on `::` then listens on IPv4 alone, as this one does."""
    assert health(tmp_path, HOST="::", PORT=port_of(shared_server)) == ""


def test_a_database_that_is_away_is_told_by_ready_alone(tmp_path: Path) -> None:
    away, port = "postgresql://u@127.0.0.1:1/g", str(free_port())
    with running_server(away, SECRET_KEY, tmp_path, PORT=port):
        live, ready = health(tmp_path, PORT=port), health(tmp_path, "--ready", PORT=port)

    assert (live, ready) == ("", "gatehouse: /health/ready returned 503")


def test_another_server_is_refused_in_a_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(TIMEOUT_SECONDS)

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(TIMEOUT_SECONDS)
                connection.recv(1024)
                connection.sendall(b"220 mail.example.com ready\r\n")

        other = Thread(target=answer)
        other.start()
        said = health(tmp_path, PORT=str(listener.getsockname()[1]))
        other.join(TIMEOUT_SECONDS)

    assert said.endswith(": it does not speak HTTP in time")
