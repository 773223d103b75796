"""WebSockets that send too much, too slowly or nothing, or do not read, on a real socket."""

import asyncio
import json
import socket as sockets
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import pytest
import uvicorn
from graphql import get_introspection_query, graphql_sync
from websockets.exceptions import InvalidStatus
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection

from api import fair_scheduler
from api.app import create_app
from api.graphql import event_stream as event_streams
from api.graphql import json_output, limited_socket, socket_handler, websocket
from api.graphql.limited_socket import SEND_TIMEOUT
from api.graphql.socket_handler import MAX_RUNNING_OPERATIONS
from api.graphql.socket_limits import KIB, MIB, NETWORK, SOCKET
from api.middleware.request_limits import MAX_BODY_BYTES
from graphql_schema import response_size
from server import protocol
from server import websocket as transport
from server.protocol import BoundedHttp
from server.websocket import BoundedWebSocket
from tests.conftest import SECRET_KEY, settings_for
from tests.databases import copy_of
from tests.documents import SCHEMA
from tests.operations import REGISTER
from tests.servers import TIMEOUT_SECONDS, Server, running_server, wait_until
from tests.subscriptions import ME, event_stream, events_in, execute_at, log_in, register
from tests.websockets import (
    code_of_close,
    error_of,
    execute,
    frame,
    initialize,
    open_socket,
    send_raw,
    subscribe,
)

pytestmark = pytest.mark.any_database

LIMIT = timedelta(seconds=0.5)

PING = json.dumps({"type": "ping"})

# Its result has some 60 KB, and needs no database.
LARGE = get_introspection_query()

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)

OURS = {"http": BoundedHttp, "ws": BoundedWebSocket, "ws_per_message_deflate": False}

# What is in api/ holds with other servers, too.
every_server = pytest.mark.parametrize(
    "options", [pytest.param(OURS, id="gatehouse"), pytest.param({}, id="uvicorn")]
)


@pytest.fixture(scope="module")
def one_server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    url = copy_of(migrated_sqlite, folder)
    with running_server(url, SECRET_KEY, folder, TRUSTED_PROXIES="127.0.0.1") as server:
        yield server


@pytest.fixture
def database(migrated_sqlite: Path, tmp_path: Path) -> str:
    return copy_of(migrated_sqlite, tmp_path)


@contextmanager
def served(database: str, options: dict[str, Any], **settings: object) -> Iterator[str]:
    """Serve in this process, so that a test can change the limits, and yield the URL."""
    app = create_app(settings_for(database, trusted_proxies=("127.0.0.1",), **settings))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, **options))
    with sockets.create_server(("127.0.0.1", 0)) as listener:
        # Of its connections. Otherwise the system takes some megabytes that are not read.
        listener.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, 4096)
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(TIMEOUT_SECONDS)


_numbers = count(1)


def open_from(server: Server | str, ip: str | None = None) -> ClientConnection:
    """Open a WebSocket from a network, as a proxy forwards it: by default one of its own."""
    ip = ip or f"198.51.100.{next(_numbers)}"
    return open_socket(server, additional_headers={"X-Forwarded-For": ip}, max_size=None)


def many(data: str | bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """Return more frames than a socket may send at once."""
    return frame(data, opcode, fin=fin) * (SOCKET.messages_at_once * 3)


@pytest.mark.parametrize(
    "sent",
    [
        many(PING),
        many('{"type": "pong"}'),
        many('{"type": "complete", "id": "1"}'),
        many('{"type": "subscribe", "id": "1", "payload": {}}'),
        many(b"", Opcode.PING),
        many(b"", Opcode.PONG),
        frame(b"", fin=False) + many(b"", Opcode.CONT, fin=False),
    ],
    ids=["ping", "pong", "complete", "subscribe", "PING", "PONG", "continuation"],
)
def test_a_socket_that_sends_too_many_frames_is_closed(one_server: Server, sent: bytes) -> None:
    with open_from(one_server) as socket:
        initialize(socket)
        send_raw(socket, sent)

        assert code_of_close(socket) == 1008


@every_server
def test_too_many_messages_close_a_socket_with_any_server(
    database: str, options: dict[str, Any]
) -> None:
    with served(database, options) as url, open_from(url) as socket:
        initialize(socket)
        send_raw(socket, many(PING))

        assert code_of_close(socket) == 1008


def test_a_socket_that_sends_too_many_bytes_is_closed(one_server: Server) -> None:
    padded = json.dumps({"type": "ping", "payload": {"padding": " " * (MIB - 100)}})
    with open_from(one_server) as socket:
        initialize(socket)
        send_raw(socket, frame(padded) * 8)

        # More may be under way when it closes, which resets the connection.
        assert code_of_close(socket) in (1008, None)


@pytest.mark.parametrize(
    "ips",
    [["192.0.2.1"] * 12, [f"2001:db8::{n}:1" for n in range(12)]],
    ids=["an address", "a /64 of IPv6"],
)
def test_the_sockets_of_a_network_share_what_they_may_send(
    one_server: Server, ips: list[str]
) -> None:
    each = SOCKET.messages_at_once - 10

    def send_by(ips: list[str]) -> None:
        """Send by new sockets at once, and wait until one is closed. Fails if none is."""
        with ExitStack() as stack:
            opened = [stack.enter_context(open_from(one_server, ip)) for ip in ips]
            for socket in opened:
                send_raw(socket, frame(b"", Opcode.PONG) * each)
            wait_until(lambda: 1008 in [socket.close_code for socket in opened])

    send_by(ips)
    # Together they may send that. But new sockets do not start afresh.
    few = ips[: NETWORK.messages_at_once // each]
    send_by(few)

    with open_from(one_server) as stranger:
        initialize(stranger)
        assert execute(stranger, "{ __typename }") == {"data": {"__typename": "Query"}}


def test_frames_are_not_compressed(one_server: Server) -> None:
    with open_from(one_server) as socket:
        assert socket.protocol.extensions == []
        # Its first reserved bit says that a frame is compressed.
        send_raw(socket, b"\xc1" + frame(PING)[1:])

        assert code_of_close(socket) == 1002


@pytest.mark.parametrize(
    "sent",
    [
        frame(b"#" * 65_536, fin=False) + frame(b"#" * 65_536, Opcode.CONT, fin=False) * 16,
        # Only the head of a frame, so the server does not wait for the rest.
        b"\x81\xff" + (MAX_BODY_BYTES + 1).to_bytes(8, "big") + b"mask",
        b"\x01\xff" + (2**62).to_bytes(8, "big") + b"mask",
    ],
    ids=["in frames", "in one frame", "for ever"],
)
def test_a_message_that_is_too_large_is_refused_before_it_is_complete(
    one_server: Server, sent: bytes
) -> None:
    with open_from(one_server) as socket:
        initialize(socket)
        send_raw(socket, sent)

        assert code_of_close(socket) == 1009


@every_server
def test_a_large_message_is_refused_with_any_server(database: str, options: dict[str, Any]) -> None:
    with served(database, options) as url, open_from(url) as socket:
        initialize(socket)
        send_raw(socket, frame(" " * (MAX_BODY_BYTES + 1)))

        assert code_of_close(socket) == 1009


@pytest.mark.parametrize(
    "sent",
    [b"\x81", frame(PING)[:-1], frame("{", fin=False)],
    ids=["half a head", "half a frame", "half a message"],
)
def test_a_message_that_is_not_finished_closes_the_socket(
    database: str, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(transport, "REQUEST_TIMEOUT", LIMIT)
    with served(database, OURS) as url, open_from(url) as socket:
        initialize(socket)
        send_raw(socket, sent)

        assert code_of_close(socket) == 1008


def test_a_message_in_parts_arrives(one_server: Server) -> None:
    asked = '{"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }"}}'
    with open_from(one_server) as socket:
        initialize(socket)
        send_raw(socket, frame(asked[:20], fin=False), frame(b"", Opcode.PING))
        for byte in frame(asked[20:], Opcode.CONT):
            send_raw(socket, bytes([byte]))

        assert json.loads(socket.recv(TIMEOUT_SECONDS))["payload"] == {
            "data": {"__typename": "Query"}
        }


@every_server
def test_a_client_that_does_not_read_is_given_up(
    database: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(transport, "RESPONSE_TIMEOUT", LIMIT)
    monkeypatch.setattr(limited_socket, "SEND_TIMEOUT", LIMIT)
    with served(database, options, max_websockets=1) as url, open_unread(url) as connection:
        connection.sendall(b"".join(map(subscription, range(60))))

        # The place of its socket is free again.
        wait_until(lambda: not is_refused(url))


def test_results_that_are_not_read_do_not_pile_up(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One result may wait, and not two.
    size = len(json.dumps(graphql_sync(SCHEMA, LARGE).data))
    monkeypatch.setattr(json_output, "MAX_SMALL_BYTES", KIB)
    monkeypatch.setattr(response_size, "MAX_BYTES_UNDER_WAY_PER_NETWORK", size * 3 // 2)
    with served(database, OURS) as url, open_from(url) as socket:
        initialize(socket)

        def codes() -> set[str]:
            """Ask for more than one result at once, and return the codes of the answers."""
            send_raw(socket, *map(subscription, range(MAX_RUNNING_OPERATIONS)))
            return {code_of(answer) for answer in answers_to(socket, MAX_RUNNING_OPERATIONS)}

        wait_until(lambda: codes() == {"OK", "OVERLOADED"})
        assert execute(socket, "{ __typename }") == {"data": {"__typename": "Query"}}


@every_server
def test_sockets_are_bounded_for_a_network_and_for_the_process(
    database: str, options: dict[str, Any]
) -> None:
    limits = {"max_websockets": 3, "max_websockets_per_network": 2}
    with served(database, options, **limits) as url:
        with ExitStack() as stack:
            for _ in range(2):
                stack.enter_context(open_from(url, "2001:db8::1"))
            with pytest.raises(InvalidStatus) as refused:
                open_from(url, "2001:db8::2")
            assert refused.value.response.status_code == 429
            assert refused.value.response.headers["Retry-After"] == "60"
            assert b"TOO_MANY_ATTEMPTS" in refused.value.response.body

            stack.enter_context(open_from(url))
            with pytest.raises(InvalidStatus) as refused:
                open_from(url)
            assert refused.value.response.status_code == 503
            assert b"OVERLOADED" in refused.value.response.body
            assert httpx.get(f"{url}/health/live").status_code == 200
        wait_until(lambda: not is_refused(url))


@every_server
def test_a_socket_without_messages_is_closed(
    database: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(limited_socket, "IDLE_TIMEOUT", LIMIT)
    # Answering these is no use of a socket.
    pings = {"ws_ping_interval": LIMIT.total_seconds() / 10}
    with served(database, options | pings) as url, open_from(url) as socket:
        initialize(socket)
        start = time.monotonic()
        while time.monotonic() < start + 2 * LIMIT.total_seconds():
            assert execute(socket, "{ __typename }") == {"data": {"__typename": "Query"}}

        assert code_of_close(socket) == 1000


@every_server
def test_a_socket_with_a_subscription_is_not_idle(
    database: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(limited_socket, "IDLE_TIMEOUT", LIMIT)
    with served(database, options) as url, open_from(url) as socket:
        initialize(socket, Authorization=f"Bearer {register(url)}")
        subscribe(socket, "subscription { me { id } }")
        answer = json.loads(socket.recv(TIMEOUT_SECONDS))
        with pytest.raises(TimeoutError):
            socket.recv(3 * LIMIT.total_seconds())
        socket.send(json.dumps({"id": "1", "type": "complete"}))

        assert answer["type"] == "next"
        assert code_of_close(socket) == 1000


@every_server
def test_event_streams_count_as_sockets(database: str, options: dict[str, Any]) -> None:
    with served(database, options, max_websockets_per_network=1) as url:
        token = register(url)
        origin = {"X-Forwarded-For": "198.51.100.99"}
        with (
            event_stream(url, token, ME, headers=origin) as first,
            event_stream(url, token, ME, headers=origin) as second,
        ):
            events = events_in(first)
            event = next(events)
            refused = second.status_code
            with pytest.raises(InvalidStatus):
                open_from(url, "198.51.100.99")
        wait_until(lambda: not is_refused(url, "198.51.100.99"))

    assert event == ("next", {"data": {"me": {"username": "Ada", "imageFile": None}}})
    assert refused == 429


@every_server
def test_an_event_stream_is_kept_alive(
    database: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(event_streams, "KEEP_ALIVE_EVERY", LIMIT)
    with served(database, options) as url, event_stream(url, register(url), ME) as response:
        lines = response.iter_lines()
        found = [line for line, _ in zip(lines, range(6), strict=False)]

    assert found[0] == "event: next"
    assert found[3:] == [":", "", ":"]


def test_a_connection_serves_on_after_the_stream_of_an_ended_session(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_streams, "CUT_OFF_AFTER", LIMIT / 5)
    with served(database, OURS) as url, httpx.Client(timeout=TIMEOUT_SECONDS) as client:
        ended, other = register(url), log_in(url)
        with event_stream(url, ended, ME, client=client) as response:
            events = events_in(response)
            next(events)
            execute_at(url, "mutation { logout }", token=ended)
            list(events)
        with event_stream(url, other, ME, client=client) as response:
            events = events_in(response)
            arrived = [next(events)]
            # Each is read a second after the one before.
            for _ in range(2):
                log_in(url)
                arrived.append(next(events))

    assert [name for name, _ in arrived] == ["next"] * 3


def test_a_client_that_does_not_read_is_cut_off_with_its_session(database: str) -> None:
    with served(database, OURS, max_websockets_per_network=1) as url:
        token = register(url)
        with open_unread(url, token) as connection:
            asked = {"id": "me", "type": "subscribe", "payload": {"query": ME}}
            connection.sendall(frame(json.dumps(asked)))
            received = b""
            while b'"Ada"' not in received:
                chunk = connection.recv(4096)
                assert chunk
                received += chunk
            # Nothing more can be sent after their results, which are not read.
            connection.sendall(b"".join(map(subscription, range(MAX_RUNNING_OPERATIONS))))
            execute_at(url, "mutation { logout }", token=token)
            started = time.monotonic()
            wait_until(lambda: not is_refused(url, "127.0.0.1"))
            seconds = time.monotonic() - started

    assert seconds < SEND_TIMEOUT.total_seconds() / 2


@every_server
def test_a_socket_without_connection_init_is_closed(
    database: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(websocket, "CONNECTION_INIT_TIMEOUT", LIMIT)
    with served(database, options) as url, open_from(url) as socket:
        assert code_of_close(socket) == 4408


@every_server
def test_operations_at_once_are_bounded(
    database: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(socket_handler, "MAX_OPERATIONS", 3)
    # So that none ends before the last one arrives.
    monkeypatch.setattr(socket_handler, "MAX_RUNNING_OPERATIONS", 0)
    with served(database, options) as url, open_from(url) as socket:
        initialize(socket)
        send_raw(socket, *map(subscription, range(10)))
        refused = list(answers_to(socket, 7))

    assert [code_of(answer) for answer in refused] == ["TOO_MANY_ATTEMPTS"] * 7
    assert [answer["id"] for answer in refused] == [str(number) for number in range(3, 10)]


@every_server
def test_an_operation_that_waits_for_too_many_others_is_refused(
    database: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(fair_scheduler, "MAX_AT_ONCE", 0)
    monkeypatch.setattr(fair_scheduler, "MAX_WAITING", 0)
    monkeypatch.setattr(fair_scheduler, "REMEMBERED", timedelta.max)
    with served(database, options) as url, open_from(url) as socket:
        initialize(socket)
        httpx.get(f"{url}/health/live", headers={"X-Forwarded-For": "203.0.113.1"})
        for _ in range(2):
            subscribe(socket, "{ __typename }")
            assert error_of(socket) == "OVERLOADED"


def test_ordinary_clients_are_served(one_server: Server) -> None:
    largest = json.dumps({"type": "ping", "payload": {"padding": " " * (MAX_BODY_BYTES - 100)}})
    with open_from(one_server) as socket:
        initialize(socket)
        for _ in range(100):
            assert execute(socket, "{ __typename }") == {"data": {"__typename": "Query"}}
        send_raw(socket, *map(subscription, range(50)))
        assert {code_of(answer) for answer in answers_to(socket, 50)} == {"OK"}
        for _ in range(3):
            socket.send(largest)
            assert json.loads(socket.recv(TIMEOUT_SECONDS)) == {"type": "pong"}


def test_a_socket_has_the_same_times_as_a_request() -> None:
    assert SEND_TIMEOUT == protocol.RESPONSE_TIMEOUT
    assert protocol.REQUEST_TIMEOUT == websocket.CONNECTION_INIT_TIMEOUT


@pytest.mark.parametrize("sent", [frame(b"", Opcode.PING), frame(PING)], ids=["PING", "ping"])
def test_a_socket_that_floods_does_not_hold_up_others(shared_server: Server, sent: bytes) -> None:
    ada = {"username": f"Ada{len(sent)}", "email": f"{len(sent)}@example.com"}
    variables = ada | {"password": "analytical engine"}
    seconds = []
    with httpx.Client(base_url=shared_server.url, timeout=TIMEOUT_SECONDS) as client:
        registered = client.post("/graphql", json={"query": REGISTER, "variables": variables})
        token = registered.json()["data"]["register"]["accessToken"]
        client.headers["Authorization"] = f"Bearer {token}"
        with flooding(shared_server, sent):
            end = time.monotonic() + 1
            while time.monotonic() < end:
                start = time.monotonic()
                answer = client.post("/graphql", json={"query": "{ me { id } }"}).json()
                seconds.append(time.monotonic() - start)
                assert "errors" not in answer

    # Some milliseconds. It was seconds when nothing limited a socket.
    assert median(seconds) < 1


def subscription(number: int) -> bytes:
    asked = {"id": str(number), "type": "subscribe", "payload": {"query": LARGE}}
    return frame(json.dumps(asked))


def answers_to(socket: ClientConnection, operations: int) -> Iterator[dict[str, Any]]:
    """Yield the result or the error of each operation, until all have ended."""
    while operations:
        answer: dict[str, Any] = json.loads(socket.recv(TIMEOUT_SECONDS))
        if answer["type"] != "next":
            operations -= 1
        if answer["type"] != "complete":
            yield answer


def code_of(answer: dict[str, Any]) -> str:
    code: str = "OK" if answer["type"] == "next" else answer["payload"][0]["extensions"]["code"]
    return code


@contextmanager
def open_unread(url: str, token: str = "") -> Iterator[sockets.socket]:
    """Open a WebSocket with a small buffer, and initialize it."""
    address = httpx.URL(url)
    with sockets.socket() as connection:
        connection.settimeout(TIMEOUT_SECONDS)
        connection.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
        connection.connect((address.host, address.port))
        connection.sendall(HANDSHAKE)
        assert connection.recv(12) == b"HTTP/1.1 101"
        init = {"type": "connection_init", "payload": {"Authorization": f"Bearer {token}"}}
        connection.sendall(frame(json.dumps(init)))
        yield connection


def is_refused(url: str, ip: str | None = None) -> bool:
    try:
        with open_from(url, ip):
            return False
    except InvalidStatus:
        return True


@contextmanager
def flooding(server: Server, sent: bytes) -> Iterator[None]:
    """Send frames at some 1.5 MB a second, from a socket that is opened again when it is closed."""
    done = threading.Event()
    part = sent * (15_000 // len(sent))

    def flood() -> None:
        while not done.is_set():
            with suppress(OSError), open_unread(server.url) as connection:
                while not done.wait(0.01):
                    connection.sendall(part)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(TIMEOUT_SECONDS)
