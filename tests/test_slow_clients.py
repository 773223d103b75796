"""Clients that send or read slowly, or never finish, on a real socket."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import repeat
from pathlib import Path

import httpx
import pytest
import uvicorn

from api.app import create_app
from server import protocol
from server.protocol import BoundedHttp
from tests.conftest import client_of, settings_for, unprepared_app
from tests.databases import copy_of
from tests.servers import TIMEOUT_SECONDS

LIMIT = timedelta(seconds=1)

JSON_POST = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n"
UPGRADE = b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"


@pytest.fixture
def port(migrated_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Yield the port of a server with short timeouts."""
    monkeypatch.setattr(protocol, "REQUEST_TIMEOUT", LIMIT)
    monkeypatch.setattr(protocol, "RESPONSE_TIMEOUT", LIMIT)
    app = create_app(settings_for(copy_of(migrated_sqlite, tmp_path)))
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=BoundedHttp, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(TIMEOUT_SECONDS)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)


def drip(connection: socket.socket) -> None:
    """Send single bytes slowly. Raises OSError once the server has closed the connection."""
    for byte in repeat(b"{", TIMEOUT_SECONDS * 20):
        connection.sendall(byte)
        time.sleep(0.05)


def is_served(port: int) -> bool:
    return httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n",
        b"GET /graphql HTTP/1.1\r\nHost: x\r\n",
        JSON_POST + b"\r\n{",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n" + JSON_POST,
    ],
    ids=["nothing", "a blank line", "half a head", "half a body", "a second, by half"],
)
def test_whoever_does_not_finish_a_request_is_cut_off(port: int, sent: bytes) -> None:
    start = time.monotonic()
    with connect(port) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer[answer.rindex(b"HTTP/1.1") :].startswith(b"HTTP/1.1 408")
    assert LIMIT.total_seconds() - 0.1 < time.monotonic() - start < TIMEOUT_SECONDS
    assert is_served(port)


def test_whoever_connects_early_has_as_long_for_a_request_as_anyone(port: int) -> None:
    pause = LIMIT.total_seconds() * 2 / 3
    with connect(port) as connection:
        time.sleep(pause)
        connection.sendall(b"GET /health/live HTTP/1.1\r\n")
        time.sleep(pause)
        connection.sendall(b"Host: x\r\n\r\n")
        answer = connection.recv(4096)

    assert answer.startswith(b"HTTP/1.1 200")


def test_a_body_that_drips_is_cut_off(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(JSON_POST + b"\r\n")
        with pytest.raises(OSError):  # noqa: PT011
            drip(connection)


def test_a_body_that_nobody_reads_any_more_is_cut_off(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(JSON_POST.replace(b"application/json", b"text/plain") + b"\r\n")
        answer = connection.recv(4096)
        with pytest.raises(OSError):  # noqa: PT011
            drip(connection)

    assert answer.startswith(b"HTTP/1.1 415")


def test_whoever_does_not_read_an_answer_is_cut_off(port: int) -> None:
    # Requests for the OpenAPI document, until every buffer on the way is full.
    request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.settimeout(TIMEOUT_SECONDS)
        connection.sendall((request + b"\r\n") * 2000 + request + b"Connection: close\r\n\r\n")
        with pytest.raises(OSError):  # noqa: PT011
            drip(connection)


def test_a_websocket_that_begins_with_post_is_refused(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(JSON_POST + UPGRADE + b"\r\n")
        answer = connection.recv(4096)

    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "header",
    [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Cookie: " + b"c" * 9000],
    ids=["a body", "chunks", "a long line"],
)
def test_a_websocket_whose_handshake_cannot_be_read_is_refused(port: int, header: bytes) -> None:
    with connect(port) as connection:
        connection.sendall(b"GET /graphql HTTP/1.1\r\nHost: x\r\n" + UPGRADE + header + b"\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400")
    assert is_served(port)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/graphql", "application/json"), ("/token", "application/x-www-form-urlencoded")],
)
async def test_a_body_that_never_ends_is_the_fault_of_whoever_sends_it(
    migrated_sqlite: Path, tmp_path: Path, path: str, kind: str
) -> None:
    """The request deadline applies even if the server has no timeout for the body."""

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    settings = settings_for(copy_of(migrated_sqlite, tmp_path), request_deadline_seconds=1)
    async with unprepared_app(settings) as app, client_of(app) as client:
        answer = await client.post(path, content=body(), headers={"Content-Type": kind})

    assert "took too long to send" in answer.text
    assert "UNAVAILABLE" not in answer.text
