"""Graceful shutdown of `gatehouse serve`: it finishes requests in flight, and always exits.

Most tests send SIGTERM, as service managers do.
"""

import asyncio
import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import uvloop
from websockets.exceptions import ConnectionClosed

from server import shutdown
from server.protocol import BoundedHttp
from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.operations import LOGIN
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, Server, running_server, wait_until
from tests.subscriptions import (
    ME,
    event_stream,
    events_in,
    next_data,
    register,
    rest_of,
    subscribed,
)
from tests.websockets import initialize, open_socket

BODY = json.dumps({"query": "{ __typename }"}).encode()
POST = (
    b"POST /graphql HTTP/1.1\r\nHost: gatehouse\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)
ADA = {"username": "Ada", "imageFile": None}

# About 0.2 s a hash, so that they queue.
COSTLY_HASHES = {"ARGON2_MEMORY_KIB": "65536", "ARGON2_TIME_COST": "5", "HASHING_THREADS": "1"}


@pytest.fixture
def server(
    migrated_sqlite: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Server]:
    url = copy_of(migrated_sqlite, tmp_path)
    workers = getattr(request, "param", "1")
    with running_server(url, SECRET_KEY, tmp_path, WORKERS=workers) as server:
        yield server


with_one_and_two_workers = pytest.mark.parametrize("server", ["1", "2"], indirect=True)


@pytest.fixture
def short_grace(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Server]:
    url = copy_of(migrated_sqlite, tmp_path)
    with running_server(
        url, SECRET_KEY, tmp_path, SHUTDOWN_GRACE_SECONDS="1", **COSTLY_HASHES
    ) as server:
        yield server


def connect(server: Server) -> socket.socket:
    return socket.create_connection(
        ("127.0.0.1", httpx.URL(server.url).port), timeout=TIMEOUT_SECONDS
    )


def start_request(server: Server) -> socket.socket:
    """Send a request without the last byte of its body, so that it stays in flight."""
    connection = connect(server)
    connection.sendall(POST + BODY[:-1])
    assert httpx.get(f"{server.url}/health/live").status_code == 200
    return connection


def request_on(connection: socket.socket) -> None:
    connection.sendall(POST + BODY)
    answer = b""
    while not answer.endswith(b"}}"):
        chunk = connection.recv(4096)
        assert chunk
        answer += chunk


def read_to_end(connection: socket.socket) -> str:
    """Return everything that the server sends before it closes the connection."""
    with connection, connection.makefile("rb") as answer:
        return answer.read().decode()


def stop(server: Server, by: signal.Signals = signal.SIGTERM) -> None:
    server.process.send_signal(by)
    wait_until(lambda: is_refused(server))


def is_refused(server: Server) -> bool:
    try:
        connect(server).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass
    return False


def exit_status(server: Server) -> int:
    return server.process.wait(TIMEOUT_SECONDS)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_request_in_flight_is_answered_and_all_is_well(
    server: Server, by: signal.Signals
) -> None:
    connection = start_request(server)
    stop(server, by)
    connection.sendall(BODY[-1:])

    assert '{"data":{"__typename":"Query"}}' in read_to_end(connection)
    assert exit_status(server) == 0
    assert "Traceback" not in server.logged()


def test_a_request_on_its_way_on_an_open_connection_is_the_last_of_it(server: Server) -> None:
    connection = connect(server)
    request_on(connection)
    stop(server)
    connection.sendall(POST + BODY)

    answer = read_to_end(connection)
    assert answer.startswith("HTTP/1.1 200 OK")
    assert "connection: close" in answer


class ServerOfTests(shutdown.Server):
    def _force_exit_later(self) -> None:
        """Let the process of the tests go on."""


@pytest.mark.parametrize("loop", [asyncio, uvloop])
def test_a_connection_that_waits_to_be_accepted_is_served(loop: Any) -> None:
    """A client has connected, and the event loop had no time for it yet."""

    async def stop_with_one_waiting() -> bytes:
        config = uvicorn.Config(hello, http=BoundedHttp, lifespan="off", log_config=None)
        config.load()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            server = ServerOfTests(config, timedelta(seconds=TIMEOUT_SECONDS))
            server.lifespan = config.lifespan_class(config)
            await server.startup([listener])
            with socket.create_connection(listener.getsockname()) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: gatehouse\r\n\r\n")
                await server.shutdown([listener])
                return client.recv(1024)

    with asyncio.Runner(loop_factory=loop.new_event_loop) as runner:
        answer = runner.run(stop_with_one_waiting())

    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def test_nobody_waits_for_connections_without_a_request(server: Server) -> None:
    fresh, idle = connect(server), connect(server)
    request_on(idle)
    server.process.terminate()

    assert (read_to_end(fresh), read_to_end(idle)) == ("", "")
    assert exit_status(server) == 0


def test_a_websocket_is_told_that_the_server_restarts(server: Server) -> None:
    with open_socket(server) as websocket:
        initialize(websocket)
        stop(server)

        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(TIMEOUT_SECONDS)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert exit_status(server) == 0


@with_one_and_two_workers
def test_subscriptions_end_with_the_server(server: Server) -> None:
    """A client of graphql-ws connects again after 1012, and one of graphql-sse after a response
    without its end."""
    token = register(server.url)
    with (
        subscribed(server, token, ME) as socket,
        event_stream(server, token, ME) as response,
    ):
        events = events_in(response)
        first = next_data(socket), next(events)
        server.process.send_signal(signal.SIGTERM)
        _, code = rest_of(socket)
        with pytest.raises(httpx.RemoteProtocolError):
            list(events)

    assert first == ({"me": ADA}, ("next", {"data": {"me": ADA}}))
    assert code == 1012
    assert server.process.wait(TIMEOUT_SECONDS) == 0
    assert "Cancelling" not in server.logged()
    assert "Traceback" not in server.logged()


def test_what_outlasts_the_grace_is_told_that_it_came_to_nothing(short_grace: Server) -> None:
    connection = start_request(short_grace)
    stop(short_grace)

    answer = read_to_end(connection)
    assert '"code":"UNAVAILABLE"' in answer
    assert "shutting down" in answer
    assert exit_status(short_grace) == 0
    assert "Traceback" not in short_grace.logged()
    # Not 499: the client has not disconnected.
    assert "POST /graphql 503 UNAVAILABLE" in short_grace.logged()
    assert "x-request-id: " in answer.lower()


def test_passwords_that_wait_to_be_hashed_hold_nothing_up(short_grace: Server) -> None:
    def log_in(_: int) -> str:
        variables = {"username": "Nobody", "password": "difference engine"}
        body = {"query": LOGIN, "variables": variables}
        return httpx.post(f"{short_grace.url}/graphql", json=body, timeout=TIMEOUT_SECONDS).text

    with ThreadPoolExecutor(40) as clients:
        answers = [clients.submit(log_in, n) for n in range(40)]
        next(as_completed(answers))
        stop(short_grace)
        assert exit_status(short_grace) == 0
        texts = [answer.result() for answer in answers]

    # On a slow machine some have waited for too long by then.
    expected = ("INVALID_CREDENTIALS", "UNAVAILABLE", "OVERLOADED")
    assert all(any(code in text for code in expected) for text in texts)
    # Forty hashes take eight seconds, and the grace is one.
    assert any("UNAVAILABLE" in text for text in texts)


@with_one_and_two_workers
def test_who_asks_twice_is_not_kept_waiting(server: Server) -> None:
    connection = start_request(server)
    stop(server, by=signal.SIGINT)
    server.process.terminate()

    assert exit_status(server) == -signal.SIGTERM
    assert read_to_end(connection) == ""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_and_ends_without_standard_streams(
    migrated_sqlite: Path, tmp_path: Path, workers: str
) -> None:
    closed = ("sh", "-c", 'exec "$0" serve <&- >&- 2>&-', GATEHOUSE)
    url = copy_of(migrated_sqlite, tmp_path)
    with running_server(url, SECRET_KEY, tmp_path, closed, WORKERS=workers) as server:
        live = httpx.get(f"{server.url}/health/live", timeout=TIMEOUT_SECONDS)

    assert live.status_code == 200
    assert server.process.returncode == 0
