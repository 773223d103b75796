"""`gatehouse serve`: its start, and the limits on the head of a request."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import httpx
import pytest

from api.middleware.request_limits import MAX_BODY_BYTES
from server.protocol import MAX_HEAD_BYTES
from settings import Settings
from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.paths import ROOT
from tests.servers import TIMEOUT_SECONDS, Server, running_server


@pytest.fixture(scope="module")
def server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    with running_server(copy_of(migrated_sqlite, folder), SECRET_KEY, folder) as server:
        yield server


def connect(server: Server) -> socket.socket:
    port = httpx.URL(server.url).port
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)


def answer_to(server: Server, pieces: Iterator[bytes]) -> bytes:
    """Send pieces until the server closes the connection, and return its answer."""
    with connect(server) as connection:
        for piece, _ in zip(pieces, range(MAX_HEAD_BYTES), strict=False):
            try:
                connection.sendall(piece)
            except OSError:
                break
        try:
            return connection.recv(1024)
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    ("begins", "continues"),
    [
        (b"GET /", b"a" * 1000),
        (b"GET / HTTP/1.1\r\nX-Endless: ", b"a" * 1000),
        (b"GET / HTTP/1.1\r\n", b"X-Many: " + b"a" * 100 + b"\r\n"),
        (
            b"POST /graphql HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            b"a" * 1000,
        ),
    ],
)
def test_a_head_without_end_is_cut_off(server: Server, begins: bytes, continues: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield begins
        yield from repeat(continues)

    assert answer_to(server, pieces())[:12] in (b"", b"HTTP/1.1 400")
    assert httpx.get(f"{server.url}/health/live").status_code == 200


def test_a_body_is_no_head(server: Server) -> None:
    document = "{ __typename }".ljust(MAX_BODY_BYTES // 2)
    answer = httpx.post(f"{server.url}/graphql", json={"query": document})

    assert answer.json()["errors"][0]["extensions"]["code"] == "QUERY_TOO_COSTLY"


def test_an_idle_connection_is_kept_as_long_as_the_setting_says(
    migrated_sqlite: Path, tmp_path: Path
) -> None:
    url = copy_of(migrated_sqlite, tmp_path)
    with (
        running_server(url, SECRET_KEY, tmp_path, KEEP_ALIVE_SECONDS="1") as server,
        connect(server) as connection,
    ):
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        start = time.monotonic()
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert 0.9 < time.monotonic() - start < TIMEOUT_SECONDS


def test_the_proxies_of_deploy_close_idle_connections_before_the_server_does() -> None:
    nginx = re.search(r"keepalive_timeout (\d+)s;", (ROOT / "deploy" / "nginx.conf").read_text())
    caddy = re.search(r"\bkeepalive (\d+)m\n", (ROOT / "deploy" / "Caddyfile").read_text())
    default = Settings.model_fields["keep_alive_seconds"].default

    assert nginx
    assert caddy
    assert max(int(nginx[1]), int(caddy[1]) * 60) < default


@pytest.mark.parametrize(
    ("public_url", "loaded"),
    [("https://accounts.example.com", "{'webauthn'}"), ("http://192.0.2.1", "none")],
)
def test_a_capability_that_is_off_is_not_loaded_by_the_start(
    tmp_path: Path, public_url: str, loaded: str
) -> None:
    """Passkeys need a domain, and there is no provider."""
    program = (
        "import asyncio, sys; from api.app import create_app; from settings import Settings\n"
        "async def start():\n"
        f"    settings = Settings(secret_key={SECRET_KEY!r}, public_url={public_url!r})\n"
        "    app = create_app(settings)\n"
        "    async with app.router.lifespan_context(app): pass\n"
        "asyncio.run(start())\n"
        "print({'webauthn', 'httpx2', 'joserfc'} & sys.modules.keys() or 'none')"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )

    assert found.stdout.strip() == loaded


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    heavy = "{'alembic', 'opentelemetry.sdk', 'prometheus_client', 'ua_parser', 'zxcvbn'}"
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, cli.commands; print({heavy} & sys.modules.keys() or 'none')",
        ],
        check=True,
        capture_output=True,
        text=True,
    )

    assert found.stdout.strip() == "none"
