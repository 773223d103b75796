"""The client that attacks. It has its own process, so that it cannot delay the measurement.

`python -m soak.attacker KIND URL SOURCE CONNECTIONS SECONDS` prints a line when it starts, and at
the end what it sent and what it was answered, as JSON.
"""

import asyncio
import json
import os
import re
import ssl
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from urllib.parse import urlsplit

from soak.attacks_by_http import HTTP_ATTACKS, Attack
from soak.attacks_by_http2 import HTTP2_ATTACKS
from soak.attacks_by_websocket import WEBSOCKET_ATTACKS

DIRECT_ATTACKS = HTTP_ATTACKS | WEBSOCKET_ATTACKS
ATTACKS = DIRECT_ATTACKS | HTTP2_ATTACKS

# Of all connections together.
BYTES_PER_SECOND = 1_000_000

# The packets that open and end a connection, without and with TLS.
CONNECTION_BYTES = 300
TLS_CONNECTION_BYTES = 1_500

# Messages are sent together up to this size: a write for each would be the limit.
BYTES_AT_ONCE = 4096

# The attacker yields to the server and to the measurement, which have the same two cores.
NICENESS = 10

# A status of HTTP/1.1, an error of GraphQL, a message and a pong of a WebSocket, and a status of
# HTTP/2 as nginx encodes it.
_RESPONSE = re.compile(
    rb'HTTP/1\.1 (\d{3})|"code": ?"([A-Z_]+)"|"type": ?"(next|complete|error|connection_ack)"|(\x8a)'
    rb"|\x01[\x04\x05]....\x20?(?:\x48\x03(\d{3})|(\x88))",
    re.DOTALL,
)
_SHORT = {b"\x8a": "pong", b"\x88": "200"}
_LONGEST = 48

_CLOSE_FRAME = re.compile(rb"\x88[\x02-\x7d]([\x03-\x13].)", re.DOTALL)


class Budget:
    """Allows a rate of bytes, and saves up to a tenth of a second of it: the processor is shared
    with the user who reads."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second
        self._most = self._left = bytes_per_second / 10
        self._at = time.monotonic()

    async def spend(self, size: int) -> None:
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate) - size
        self._at = now
        if self._left < 0:
            await asyncio.sleep(-self._left / self._rate)


@dataclass
class Tally:
    """What was sent, and the number of responses by kind."""

    connections: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    responses: Counter[str] = field(default_factory=Counter)


class Connection(asyncio.Protocol):
    """A connection that counts responses, or reads nothing."""

    transport: asyncio.Transport

    def __init__(self, tally: Tally, *, reads: bool) -> None:
        self._tally = tally
        self._reads = reads
        self._rest = b""
        self._may_write = asyncio.Event()
        self._may_write.set()
        self.has_answer = asyncio.Event()
        self.is_closed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self._tally.connections += 1

    def connection_lost(self, error: Exception | None) -> None:
        if close := _CLOSE_FRAME.search(self._rest):
            self._tally.responses[f"closed with {int.from_bytes(close[1])}"] += 1
        self.is_closed = True
        self._may_write.set()
        self.has_answer.set()

    def data_received(self, data: bytes) -> None:
        self._tally.received_bytes += len(data)
        data = self._rest + data
        end = 0
        for found in _RESPONSE.finditer(data):
            end = found.end()
            kind = next(filter(None, found.groups()))
            self._tally.responses[_SHORT.get(kind) or kind.decode()] += 1
        self._rest = data[max(end, len(data) - _LONGEST) :]
        self.has_answer.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    async def write(self, data: bytes) -> None:
        """Write when most of what was written before is sent. Raises ConnectionResetError."""
        await asyncio.sleep(0)  # read what has arrived
        await self._may_write.wait()
        if self.is_closed or self.transport.is_closing():
            raise ConnectionResetError
        self.transport.write(data)
        self._tally.sent_bytes += len(data)

    def stop_reading(self) -> None:
        if not self._reads and not self.is_closed:
            self.transport.pause_reading()


@dataclass(frozen=True)
class Attacker:
    """``source`` is the attacker's own address."""

    attack: Attack
    url: str
    source: str
    tally: Tally
    budget: Budget

    async def run(self, connections: int, seconds: float) -> None:
        """Attack with a number of connections at a time, each of which is opened again when it
        ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(self._connect_again_and_again() for _ in range(connections)))

    async def _connect_again_and_again(self) -> None:
        while True:
            connection: Connection | None = None
            try:
                connection = await self._connect()
                await self._use(connection)
            except OSError:
                self.tally.responses["disconnected"] += 1
                await asyncio.sleep(0.001)  # refused by the system: do not use up the processor
            finally:
                if connection:
                    connection.transport.abort()

    async def _connect(self) -> Connection:
        address = urlsplit(self.url)
        assert address.hostname
        assert address.port
        is_secure = address.scheme == "https"
        await self.budget.spend(TLS_CONNECTION_BYTES if is_secure else CONNECTION_BYTES)
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(self.tally, reads=self.attack.reads),
            address.hostname,
            address.port,
            local_addr=(self.source, 0),
            ssl=unverified(self.attack.protocol) if is_secure else None,
        )
        return connection

    async def _use(self, connection: Connection) -> None:
        if self.attack.handshake:
            await self._send(connection, self.attack.handshake)
            await connection.has_answer.wait()
        connection.stop_reading()
        connection.has_answer.clear()
        messages = islice(self.attack.messages(), self.attack.messages_per_connection)
        for data in in_batches(messages):
            await self._send(connection, data)
        if self.attack.reads and self.attack.messages_per_connection:
            await connection.has_answer.wait()
        await asyncio.sleep(self.attack.held_seconds)

    async def _send(self, connection: Connection, data: bytes) -> None:
        await self.budget.spend(len(data))
        await connection.write(data)


def in_batches(messages: Iterator[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    size = 0
    for message in messages:
        batch.append(message)
        size += len(message)
        if size >= BYTES_AT_ONCE:
            yield b"".join(batch)
            batch, size = [], 0
    if batch:
        yield b"".join(batch)


@cache
def unverified(protocol: str = "http/1.1") -> ssl.SSLContext:
    """Return a context that accepts the certificate that a test has made."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols([protocol])
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def main() -> None:
    kind, url, source, connections, seconds = sys.argv[1:]
    os.nice(NICENESS)
    tally = Tally()
    attacker = Attacker(ATTACKS[kind], url, source, tally, Budget(BYTES_PER_SECOND))
    print("started", flush=True)
    asyncio.run(attacker.run(int(connections), float(seconds)))
    print(json.dumps({**vars(tally), "responses": dict(tally.responses.most_common(6))}))


if __name__ == "__main__":
    main()
