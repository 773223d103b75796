"""HTTP/1.1 over one socket, without a client library."""

import asyncio
import json
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import httpx

from tests.users import Answer

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: close", re.IGNORECASE)


class Disconnected(Exception):
    """The connection ended before the response was complete, or could not be opened."""


@dataclass(frozen=True)
class RawResponse:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class RawClient:
    """A client with one connection, which sends bytes as given and can abort at any byte.

    It connects on first use and reconnects after a disconnect. It does not choose requests and
    keeps no record. The other two clients each send through one: AuditedClient records every
    acknowledged write, and ChaosClient mixes valid requests with malformed and aborted ones.
    """

    def __init__(
        self, url: str, *, source: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        """``source`` is the client's address, if it has one of its own."""
        self.url = url
        self._source = source
        self._tls = tls
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def execute(self, document: str, *, by: str | None = None, **variables: Any) -> Answer:
        """Run a GraphQL operation with the access token ``by``.

        Raises Disconnected, and AssertionError for a status other than 200, which every GraphQL
        response in ``application/json`` has.
        """
        response = await self.send(graphql_request(document, by=by, **variables))
        assert response.status == 200, response
        answer = response.json()
        return Answer(answer.get("data"), answer.get("errors", []))

    async def send(self, request: bytes) -> RawResponse:
        """Send a request and read its response. Raises Disconnected."""
        try:
            reader, writer = await self.connect()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, EOFError) as error:
            self.abort()
            raise Disconnected from error
        if _CLOSES.search(head):
            self.abort()
        return RawResponse(int(head.split()[1]), body)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return the streams of the open connection, or of a new one."""
        if self._streams and self._streams[0].at_eof():
            self.abort()  # the server has closed an idle connection
        if self._streams is None:
            address = httpx.URL(self.url)
            self._streams = await asyncio.open_connection(
                address.host,
                address.port,
                local_addr=(self._source, 0) if self._source else None,
                ssl=self._tls,
            )
        return self._streams

    def abort(self) -> None:
        """Drop the connection immediately, even in the middle of a request."""
        if self._streams:
            self._streams[1].transport.abort()
        self._streams = None


@contextmanager
def raw_clients(
    url: str, number: int, *, source: str | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[list[RawClient]]:
    clients = [RawClient(url, source=source, tls=tls) for _ in range(number)]
    try:
        yield clients
    finally:
        for client in clients:
            client.abort()


def graphql_request(document: str, *, by: str | None = None, **variables: Any) -> bytes:
    body = json.dumps({"query": document, "variables": variables})
    return http_request("POST", "/graphql", body, type="application/json", by=by)


def http_request(
    method: str, path: str, body: str = "", *, type: str = "text/plain", by: str | None = None
) -> bytes:
    authorization = f"Authorization: Bearer {by}\r\n" if by else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: gatehouse\r\nAccept: application/json\r\n{authorization}"
        f"Content-Type: {type}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()


async def response_times(
    clients: list[RawClient], document: str, *, by: str, rate: int, seconds: float
) -> list[float]:
    """Return the response times in seconds of ``rate`` requests a second.

    A time counts from when its request was due and not from when it was sent. So a slow response
    also delays the requests behind it, as it would delay independent users.
    """
    start = time.monotonic()
    requests_per_client = int(rate * seconds / len(clients))

    async def send_on_schedule(client: RawClient, place: int) -> list[float]:
        times = []
        for number in range(requests_per_client):
            due = start + (number * len(clients) + place) / rate
            await asyncio.sleep(due - time.monotonic())
            answer = await client.execute(document, by=by)
            assert answer.errors == []
            times.append(time.monotonic() - due)
        return times

    measured = await asyncio.gather(
        *(send_on_schedule(client, place) for place, client in enumerate(clients))
    )
    return [each for times in measured for each in times]


def p99(times: list[float]) -> float:
    return quantiles(times, n=100)[-1]
