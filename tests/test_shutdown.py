"""How `gatehouse serve` ends: what has begun is finished, and the end is certain. Told by SIGTERM, as by everything that
stops a service."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.operations import LOGIN
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, Server, running_server, wait_until
from tests.websockets import initialize, open_socket

BODY = json.dumps({"query": "{ __typename }"}).encode()
POST = (
    b"POST /graphql HTTP/1.1\r\nHost: gatehouse\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)
# 0.2 s for a hash, so that they queue.
DEAR = {"ARGON2_MEMORY_KIB": "65536", "ARGON2_TIME_COST": "5", "HASHING_THREADS": "1"}


@pytest.fixture
def server(
    migrated_sqlite: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Server]:
    url = copy_of(migrated_sqlite, tmp_path)
    workers = getattr(request, "param", "1")
    with running_server(url, SECRET_KEY, tmp_path, WORKERS=workers) as server:
        yield server


alone_and_by_workers = pytest.mark.parametrize("server", ["1", "2"], indirect=True)


@pytest.fixture
def impatient(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Server]:
    url = copy_of(migrated_sqlite, tmp_path)
    with running_server(url, SECRET_KEY, tmp_path, SHUTDOWN_GRACE_SECONDS="1", **DEAR) as server:
        yield server


def connect(server: Server) -> socket.socket:
    return socket.create_connection(
        ("127.0.0.1", httpx.URL(server.url).port), timeout=TIMEOUT_SECONDS
    )


def begin(server: Server) -> socket.socket:
    """A request that is in flight until the rest of its body is sent."""
    connection = connect(server)
    connection.sendall(POST + BODY[:-1])
    assert httpx.get(f"{server.url}/health/live").status_code == 200
    return connection


def ask_on(connection: socket.socket) -> None:
    connection.sendall(POST + BODY)
    answer = b""
    while not answer.endswith(b"}}"):
        answer += connection.recv(4096)


def answer_on(connection: socket.socket) -> str:
    """All that comes, until the server closes the connection."""
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
    connection = begin(server)
    stop(server, by)
    connection.sendall(BODY[-1:])

    assert '{"data":{"__typename":"Query"}}' in answer_on(connection)
    assert exit_status(server) == 0
    assert "Traceback" not in server.logged()


def test_a_request_on_its_way_on_an_open_connection_is_the_last_of_it(server: Server) -> None:
    connection = connect(server)
    ask_on(connection)
    stop(server)
    connection.sendall(POST + BODY)

    answer = answer_on(connection)
    assert answer.startswith("HTTP/1.1 200 OK")
    assert "connection: close" in answer


def test_nobody_waits_for_connections_without_a_request(server: Server) -> None:
    fresh, idle = connect(server), connect(server)
    ask_on(idle)
    server.process.terminate()

    assert (answer_on(fresh), answer_on(idle)) == ("", "")
    assert exit_status(server) == 0


def test_a_websocket_is_told_that_the_server_restarts(server: Server) -> None:
    with open_socket(server) as websocket:
        initialize(websocket)
        stop(server)

        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
    assert exit_status(server) == 0


def test_what_outlasts_the_grace_is_told_that_it_came_to_nothing(impatient: Server) -> None:
    connection = begin(impatient)
    stop(impatient)

    answer = answer_on(connection)
    assert '"code":"UNAVAILABLE"' in answer
    assert "going down" in answer
    assert exit_status(impatient) == 0
    assert "Traceback" not in impatient.logged()
    # It is not the client that has left.
    assert "POST /graphql 503 UNAVAILABLE" in impatient.logged()
    assert "x-request-id: " in answer.lower()


def test_passwords_that_wait_to_be_hashed_hold_nothing_up(impatient: Server) -> None:
    def log_in(_: int) -> str:
        variables = {"username": "Nobody", "password": "difference engine"}
        body = {"query": LOGIN, "variables": variables}
        return httpx.post(f"{impatient.url}/graphql", json=body, timeout=TIMEOUT_SECONDS).text

    with ThreadPoolExecutor(40) as clients:
        answers = clients.map(log_in, range(40))
        assert "INVALID_CREDENTIALS" in next(answers)
        began = time.monotonic()
        stop(impatient)
        assert exit_status(impatient) == 0
        took = time.monotonic() - began

        assert all("INVALID_CREDENTIALS" in text or "UNAVAILABLE" in text for text in answers)
    # Forty of them take eight seconds.
    assert took < 5


@alone_and_by_workers
def test_who_asks_twice_is_not_kept_waiting(server: Server) -> None:
    connection = begin(server)
    stop(server, by=signal.SIGINT)
    server.process.terminate()

    assert exit_status(server) == -signal.SIGTERM
    assert answer_on(connection) == ""


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
