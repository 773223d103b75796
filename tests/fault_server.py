"""An HTTP server on a socket that answers as a test tells it, or breaks in every way."""

import asyncio
import gzip
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from tests.servers import TIMEOUT_SECONDS


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # by names in lower case
    form: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Response:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} Status", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def json_response(value: Any, status: int = 200) -> Response:
    return raw_json(json.dumps(value).encode(), status)


def raw_json(body: bytes, status: int = 200) -> Response:
    return Response(status, body, {"Content-Type": "application/json"})


# A fault writes to the connection itself; the server closes it afterwards.
Fault = Callable[[asyncio.StreamWriter], Awaitable[None]]
Answerer = Callable[[Request], Response | Fault]

Server = TypeVar("Server", bound="FaultServer")

_JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


async def hang(writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def hang_in_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(_JSON_HEAD)
    await asyncio.Event().wait()


async def hang_in_body(writer: asyncio.StreamWriter) -> None:
    writer.write(_JSON_HEAD + b'Content-Length: 100\r\n\r\n{"issuer"')
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte now and then, so that no single read takes long."""
    writer.write(_JSON_HEAD + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def close(writer: asyncio.StreamWriter) -> None:
    """Close the connection without an answer."""


async def reset_in_body(writer: asyncio.StreamWriter) -> None:
    writer.write(_JSON_HEAD + b'Content-Length: 100\r\n\r\n{"issuer"')
    await writer.drain()
    writer.transport.abort()


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(_JSON_HEAD)
    with suppress(ConnectionError):
        while True:
            writer.write(b"X-Filler: " + b"x" * 10_000 + b"\r\n")
            await writer.drain()


async def endless_body(writer: asyncio.StreamWriter) -> None:
    """Send chunks without a length until the client has enough."""
    writer.write(_JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b" " * 65_536
    with suppress(ConnectionError):
        while True:
            writer.write(b"10000\r\n" + chunk + b"\r\n")
            await writer.drain()


async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01\x02\x00 secret-of-a-provider\r\n\r\n")


async def wrong_gzip(writer: asyncio.StreamWriter) -> None:
    writer.write(_JSON_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 10\r\n\r\nnot gzip!!")


def large(size: int) -> Response:
    return raw_json(b" " * size)


def gzip_bomb(size: int, *, times: int = 1) -> Response:
    """Return a small body that has this size once it is decompressed as often."""
    return compressed(b" " * size, times=times)


def compressed(body: bytes, *, times: int = 1) -> Response:
    for _ in range(times):
        body = gzip.compress(body)
    encoding = ", ".join(["gzip"] * times)
    return Response(200, body, {"Content-Type": "application/json", "Content-Encoding": encoding})


def redirect(to: str, status: int = 302) -> Response:
    return Response(status, headers={"Location": to})


@dataclass
class FaultServer:
    """A server on 127.0.0.1. ``answers`` by path win over what `answer` returns."""

    answers: dict[str, Answerer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    url: str = ""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def answer(self, request: Request) -> Response | Fault:
        """Return 404. Override it."""
        return Response(404)

    def requests_to(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    async def until_closed(self) -> None:
        """Wait until the clients have closed all connections."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await asyncio.gather(*self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        try:
            while request := await _read(reader):
                self.requests.append(request)
                answer = self.answers.get(request.path, self.answer)(request)
                if not isinstance(answer, Response):
                    await answer(writer)
                    break
                writer.write(answer.encoded())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Request(
        method,
        parts.path,
        dict(parse_qsl(parts.query)),
        headers,
        dict(parse_qsl(body.decode("latin-1"))),
        body,
    )


@asynccontextmanager
async def serving(server: Server, *, port: int = 0, **options: Any) -> AsyncIterator[Server]:
    """Serve on a port, by default a free one, until the block ends, with the options of
    `asyncio.start_server`."""
    listening = await asyncio.start_server(server._serve, "127.0.0.1", port, **options)
    scheme = "https" if "ssl" in options else "http"
    server.url = f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listening.close()
        tasks = list(server._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()
        await asyncio.sleep(0)  # the transports close


@contextmanager
def serving_in_thread(server: Server) -> Iterator[Server]:
    """Serve for tests that are not async, such as those in a browser."""
    serves, ends = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with serving(server):
            serves.set()
            await ends.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    assert serves.wait(TIMEOUT_SECONDS), "the server does not start"
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join(TIMEOUT_SECONDS)
        loop.close()
