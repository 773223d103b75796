"""HTTP/1.1 on a real socket: where a request ends, and what is not a request (RFC 9112)."""

import json
import re
import resource
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from server.protocol import MAX_HEAD_BYTES, MAX_HEADERS, MAX_KEPT_CONNECTIONS
from tests.conftest import SECRET_KEY
from tests.databases import copy_of
from tests.operations import LOGIN, ME
from tests.servers import TIMEOUT_SECONDS, Server, running_server
from tests.users import GraphQL, register_user

LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LAST = LIVE + b"Connection: close\r\n\r\n"
DOCUMENT = b'{"query":"{__typename}"}'
CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("http")
    with running_server(
        copy_of(migrated_sqlite, folder),
        SECRET_KEY,
        folder,
        TRUSTED_PROXIES="127.0.0.1",
        LOGIN_LIMIT_PER_NETWORK="5/hour",
    ) as server:
        yield server


def connect(server: Server) -> socket.socket:
    port = httpx.URL(server.url).port
    connection = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def read_to_end(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def responses(received: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Return the status, the headers and the body of each response."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        length = int(headers["content-length"])
        found.append((int(status.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return found


def exchange(server: Server, sent: bytes) -> list[tuple[int, dict[str, str], bytes]]:
    """Send bytes in one write, and return the responses until the server closes the connection."""
    with connect(server) as connection:
        connection.sendall(sent)
        return responses(read_to_end(connection))


def statuses(server: Server, sent: bytes) -> list[int]:
    return [status for status, _, _ in exchange(server, sent)]


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(data), extension, data)


def with_length(body: bytes, *, more: bytes = b"") -> bytes:
    return POST + more + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def with_trailers(document: bytes, *trailers: bytes, more: bytes = b"") -> bytes:
    end = b"".join(trailer + b"\r\n" for trailer in trailers)
    return POST + more + CHUNKS + chunk(document) + b"0\r\n" + end + b"\r\n"


def memory_of(server: Server) -> int:
    """Return the resident memory of the server in MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024  # type: ignore[index]


CONVERSATION = (
    LIVE + b"X-Request-ID: 1\r\n\r\n",
    with_length(DOCUMENT, more=b"X-Request-ID: 2\r\n"),
    with_trailers(DOCUMENT[:9] + b"\r\n\r\n" + DOCUMENT[9:], more=b"X-Request-ID: 3\r\n"),
    with_trailers(DOCUMENT, b"X-Checksum: 1", more=b"X-Request-ID: 4\r\n"),
    with_length(b"{}", more=b"X-Request-ID: 5\r\n"),
    LIVE + b"X-Request-ID: 6\r\nContent-Length: 0\r\n\r\n\r\n",
    LIVE + b"X-Request-ID: 7\r\nConnection: close\r\n\r\n",
)


@pytest.mark.parametrize("size", [1, 7, 100, 5000])
def test_every_pipelined_request_has_its_answer_in_its_place(server: Server, size: int) -> None:
    sent = b"".join(CONVERSATION)
    with connect(server) as connection:
        for start in range(0, len(sent), size):
            connection.sendall(sent[start : start + size])
        answers = responses(read_to_end(connection))

    assert [status for status, _, _ in answers] == [200, 200, 200, 200, 400, 200, 200]
    assert [headers["x-request-id"] for _, headers, _ in answers] == list("1234567")
    assert json.loads(answers[2][2]) == {"data": {"__typename": "Query"}}


def test_hundreds_of_requests_in_one_write_are_all_answered(server: Server) -> None:
    assert statuses(server, (LIVE + b"\r\n") * 500 + LAST) == [200] * 501


def test_what_follows_the_last_request_is_not_another_one(server: Server) -> None:
    assert statuses(server, LAST + LIVE + b"\r\n") == [200]


def test_a_malformed_request_is_refused_after_the_answers_before_it(server: Server) -> None:
    assert statuses(server, LIVE + b"\r\n" + b"GET / HTTP/1.1\r\n\r\n" + LAST) == [200, 400]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_pipelined_requests_take_neither_memory_nor_the_time_of_others(server: Server) -> None:
    before = memory_of(server)
    senders = [connect(server) for _ in range(40)]
    for sender in senders:
        sender.setblocking(False)
        sender.send(b"GET / HTTP/1.1\r\nHost:\r\n\r\n" * 10_000)
    answers = [httpx.get(f"{server.url}/health/live") for _ in range(5)]
    grown = memory_of(server) - before
    for sender in senders:
        sender.close()

    assert {answer.status_code for answer in answers} == {200}
    assert max(answer.elapsed.total_seconds() for answer in answers) < 5
    # 256 KiB of each connection at most. Parsed at once, they took 800 MiB.
    assert grown < 60


@pytest.mark.parametrize("name", [b"X-Forwarded-For", b"x-forwarded-for"])
async def test_a_trailer_does_not_change_the_address_of_a_client(
    server: Server, name: bytes
) -> None:
    variables = {"username": "nobody", "password": "not the right one"}
    login = json.dumps({"query": LOGIN, "variables": variables}).encode()
    sent = [with_trailers(login, b"%b: 203.0.113.%d" % (name, n)) for n in range(8)]
    codes = [
        json.loads(body)["errors"][0]["extensions"]["code"]
        for _, _, body in exchange(server, b"".join(sent) + LAST)[:-1]
    ]

    assert codes[5:] == ["TOO_MANY_ATTEMPTS"] * 3


async def test_a_trailer_neither_signs_in_nor_names_a_request(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        ada = await register_user(GraphQL(client), "Ada", "ada@example.com", "analytical engine")
    me = json.dumps({"query": ME}).encode()
    by_ada = b"Authorization: Bearer " + ada.token.encode()
    answers = exchange(
        server,
        with_trailers(me, by_ada, b"X-Request-ID: trailing")
        + with_trailers(me, b"Host: y", b"Connection: close", more=by_ada + b"\r\n")
        + LAST,
    )

    assert json.loads(answers[0][2])["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert answers[0][1]["x-request-id"] != "trailing"
    assert json.loads(answers[1][2])["data"]["me"]["username"] == "Ada"
    assert answers[2][0] == 200


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"Host: x\r\nHost: x\r\n",
        b"Host: x\r\nhost: y\r\n",
        b"Host: a b\r\n",
        b"Host: x/y\r\n",
        b"Host: user@x\r\n",
        b"Host: x:port\r\n",
        b"Host: [::1\r\n",
        b"Host: \xe9\r\n",
    ],
)
def test_a_request_must_have_one_valid_host(server: Server, host: bytes) -> None:
    status, headers, body = exchange(server, b"GET / HTTP/1.1\r\n" + host + b"\r\n" + LAST)[0]

    assert status == 400
    assert headers["connection"] == "close"
    assert body == b"The request must have one valid Host header."


@pytest.mark.parametrize(
    "host",
    [b"", b"example.com", b"EXAMPLE.com:8000", b"127.0.0.1:", b"[::1]:8000", b"a_b-c.example"],
)
def test_every_form_of_a_host_is_accepted(server: Server, host: bytes) -> None:
    sent = b"GET /health/live HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n"

    assert statuses(server, sent) == [200]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /health/live HTTP/1.0\r\n\r\n",
        b"GET http://other.example/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"\r\n\r\n" + LAST,
    ],
    ids=["HTTP/1.0 without Host", "an absolute target", "empty lines before it"],
)
def test_what_the_standard_allows_is_answered(server: Server, sent: bytes) -> None:
    assert statuses(server, sent) == [200]


def test_two_hosts_are_refused_in_http_1_0_too(server: Server) -> None:
    assert statuses(server, b"GET / HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n") == [400]


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2\r\nContent-Length: 2\r\n",
        b"Content-Length: 2, 2\r\n",
        b"Content-Length: +2\r\n",
        b"Content-Length: -2\r\n",
        b"Content-Length:\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked, gzip\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"X-Folded: a\r\n b\r\n",
        b"X-Folded: a\r\n\tb\r\n",
        b"X-Space : a\r\n",
        b" X-Space: a\r\n",
        b"X-Newline: a\n",
        b"X-Return: a\rb\r\n",
        b"X-Null: a\0b\r\n",
        b": a\r\n",
        b"no colon\r\n",
    ],
)
def test_a_head_that_others_could_read_differently_is_refused(server: Server, head: bytes) -> None:
    assert statuses(server, POST + head + b"\r\n{}" + LAST) == [400]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /health/live\r\n\r\n",
        b"GET /health/live HTTP/0.9\r\n\r\n",
        b"GET /health/live HTTP/1.2\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
        b"GET /health/live HTTP/1.1\nHost: x\n\n",
        POST + CHUNKS + b"2\n{}\n0\n\n",
        POST + CHUNKS + b"2\r\n{}0\r\n\r\n",
        POST + CHUNKS + b"-2\r\n{}\r\n0\r\n\r\n",
        POST + CHUNKS + b"2;a\n=b\r\n{}\r\n0\r\n\r\n",
        POST + CHUNKS + b"0\r\nContent-Length: 2\r\n\r\n",
        POST + CHUNKS + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
        POST + CHUNKS + b"0\r\nX-Folded: a\r\n b\r\n\r\n",
    ],
)
def test_what_is_not_http_1_1_is_refused(server: Server, sent: bytes) -> None:
    assert statuses(server, sent) == [400]


LONG = b"a" * MAX_HEAD_BYTES


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + LONG + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        LIVE + b"X-Long: " + LONG + b"\r\n\r\n",
        LIVE + b"X-Many: a\r\n" * (MAX_HEAD_BYTES // 10) + b"\r\n",
        POST + CHUNKS + chunk(DOCUMENT, b";" + LONG) + b"0\r\n\r\n",
        with_trailers(DOCUMENT, b"X-Long: " + LONG),
        POST + CHUNKS + chunk(b" ") * (MAX_HEAD_BYTES // 5) + b"0\r\n\r\n",
        POST + CHUNKS + chunk(b"\r\n\r\n" * (MAX_HEAD_BYTES // 4)) + b"0\r\n\r\n",
    ],
    ids=["target", "header", "headers", "chunk extension", "trailer", "chunks", "empty lines"],
)
def test_too_long_a_head_in_one_write_is_refused(server: Server, sent: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(sent)
        answer = connection.recv(4096)

    assert answer.startswith(b"HTTP/1.1 400")
    assert answer.endswith(b"The request head is too long.")


def test_a_head_up_to_the_limit_and_a_body_beyond_it_are_accepted(server: Server) -> None:
    head = LIVE + b"X-Long: " + LONG[: MAX_HEAD_BYTES - 200] + b"\r\n\r\n"
    body = DOCUMENT[:-1] + b',"variables":{"unused":"' + 2 * LONG + b'"}}'
    chunks = POST + CHUNKS + chunk(body[:70_000]) + chunk(body[70_000:]) + b"0\r\n\r\n"

    assert statuses(server, head + with_length(body) + chunks + LAST) == [200] * 4


@pytest.mark.parametrize("protocol", [b"h2c", b"HTTP/2.0", b"foo", b"websocket, h2c"])
def test_an_upgrade_that_is_not_offered_is_ignored_with_its_body_read(
    server: Server, protocol: bytes
) -> None:
    """The body of such a request was taken for the next one, and Java's client asks for h2c."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + protocol + b"\r\n"
    answers = exchange(
        server,
        with_length(DOCUMENT, more=upgrade)
        + with_trailers(DOCUMENT, more=upgrade)
        + with_length(LIVE + b"\r\n", more=upgrade)
        + LIVE
        + upgrade
        + b"\r\n"
        + LAST,
    )

    assert [status for status, _, _ in answers] == [200, 200, 400, 200, 200]
    assert (
        json.loads(answers[0][2]) == json.loads(answers[1][2]) == {"data": {"__typename": "Query"}}
    )


def test_head_responds_as_get_without_the_body(server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        described = client.get("/openapi.json").json()["paths"]
        paths = [path for path, operations in described.items() if "get" in operations]
        answers = {
            path: (client.get(path), client.head(path))
            for path in (*paths, "/openapi.json", "/docs", "/")
        }

    assert {"/health/live", "/health/ready", "/userinfo", "/.well-known/jwks.json"} < set(answers)
    for got, head in answers.values():
        same = ("content-type", "content-length", "cache-control", "www-authenticate", "location")
        assert head.status_code == got.status_code
        assert [head.headers.get(name) for name in same] == [got.headers.get(name) for name in same]
        assert head.content == b""
    assert "HEAD /health/live 200" in server.logged()


async def test_head_reads_the_current_user_too(server: Server) -> None:
    async with httpx.AsyncClient(base_url=server.url) as client:
        user = await register_user(GraphQL(client), "Grace", "grace@example.com", "nanoseconds")
        by_grace = {"Authorization": f"Bearer {user.token}"}
        head = await client.head("/userinfo", headers=by_grace)
        post = await client.head("/token")

    assert head.status_code == 200
    assert post.status_code == 405
    assert post.headers["allow"] == "POST"


def test_a_request_with_too_many_headers_is_refused(server: Server) -> None:
    [few] = statuses(server, LIVE + b"X: x\r\n" * (MAX_HEADERS - 2) + b"Connection: close\r\n\r\n")
    [many] = statuses(server, LIVE + b"X: x\r\n" * MAX_HEADERS + b"\r\n")

    assert (few, many) == (200, 400)


def test_idle_connections_are_bounded(server: Server) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        for _ in range(MAX_KEPT_CONNECTIONS):
            stack.enter_context(connect(server))
        while_many = exchange(server, LIVE + b"\r\n")
    [(status, headers, _)] = while_many

    assert (status, headers["connection"]) == (200, "close")
