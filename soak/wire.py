"""A client of one connection, with nothing between it and the socket: it can leave in the middle of anything."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any

import httpx

from tests.users import Answer

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: close", re.IGNORECASE)


class CutOff(Exception):
    """The connection ended before its answer, or could not be made."""


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """Connects when it is first used, and anew after an end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, document: str, *, by: str | None = None, **variables: Any) -> Answer:
        """Raises CutOff, and AssertionError for a status that no GraphQL answer in ``application/json`` has."""
        reply = await self.send(question(document, by=by, **variables))
        assert reply.status == 200, reply
        answer = reply.json()
        return Answer(answer.get("data"), answer.get("errors", []))

    async def send(self, request: bytes) -> Reply:
        """Raises CutOff."""
        try:
            reader, writer = await self.streams()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            body = await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, EOFError) as error:
            self.leave()
            raise CutOff from error
        if _CLOSES.search(head):
            self.leave()
        return Reply(int(head.split()[1]), body)

    async def streams(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams and self._streams[0].at_eof():
            self.leave()  # the server has closed a connection that nobody used
        if self._streams is None:
            address = httpx.URL(self.url)
            self._streams = await asyncio.open_connection(address.host, address.port)
        return self._streams

    def leave(self) -> None:
        """At once, without a word."""
        if self._streams:
            self._streams[1].transport.abort()
        self._streams = None


def question(document: str, *, by: str | None = None, **variables: Any) -> bytes:
    body = json.dumps({"query": document, "variables": variables})
    return request("POST", "/graphql", body, type="application/json", by=by)


def request(
    method: str, path: str, body: str = "", *, type: str = "text/plain", by: str | None = None
) -> bytes:
    authorization = f"Authorization: Bearer {by}\r\n" if by else ""
    return (
        f"{method} {path} HTTP/1.1\r\nHost: gatehouse\r\nAccept: application/json\r\n{authorization}"
        f"Content-Type: {type}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()


async def times(
    wires: list[Wire], document: str, *, by: str, rate: int, seconds: float
) -> list[float]:
    """In seconds, of the answers to ``rate`` questions a second. Each counts from when its question was due, so that a slow
    answer makes the next ones late, as it would people."""
    begins = time.monotonic()
    each = int(rate * seconds / len(wires))

    async def ask_in_turn(wire: Wire, place: int) -> list[float]:
        taken = []
        for number in range(each):
            due = begins + (number * len(wires) + place) / rate
            await asyncio.sleep(due - time.monotonic())
            answer = await wire.ask(document, by=by)
            assert answer.errors == []
            taken.append(time.monotonic() - due)
        return taken

    asked = await asyncio.gather(*(ask_in_turn(wire, n) for n, wire in enumerate(wires)))
    return [one for taken in asked for one in taken]
