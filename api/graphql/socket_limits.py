"""What WebSockets may use: how many are open, what they send, and what waits to be sent to them.

HTTP needs less of this, because a request has one body and one response.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from cachetools import LRUCache

from domain.errors import DomainError, Overloaded, TooManyAttempts, Unavailable

# A server that can count what a WebSocket sends, frame by frame, offers this ASGI extension: a
# function that takes the socket's `Share`, spends from it, and closes the socket.
SPENT_BY_SERVER = "gatehouse.spent_by_server"

KIB = 1024
MIB = 1024 * KIB

# Shorter messages always fit into what waits to be sent: pongs, errors, acknowledgements.
ALWAYS_SENT_BYTES = 4 * KIB

# Networks whose sockets have closed, so that a new socket does not start with a full share. Each
# takes some hundred bytes.
REMEMBERED_NETWORKS = 10_000

RETRY_AFTER_SECONDS = 60

NOT_READ = "Too many results wait to be read. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be sent for each second, what may be sent at once after a pause, and the bytes that
    may wait to be sent to the client. ``close_code`` is for a socket that sends more."""

    messages: int
    messages_at_once: int
    bytes: int
    bytes_at_once: int
    waiting_bytes: int
    close_code: int


# RFC 6455 section 7.4.1: a policy violation. Clients do not connect again by themselves.
POLICY_VIOLATION = 1008

# IANA's registry of close codes: try again later. The client is not at fault.
TRY_AGAIN_LATER = 1013

# An application sends a message for each operation, so a page that loads sends some dozens at once,
# and the largest message has a megabyte. A message without an operation takes about 50
# microseconds.
SOCKET = Allowance(
    messages=100,
    messages_at_once=500,
    bytes=128 * KIB,
    bytes_at_once=4 * MIB,
    waiting_bytes=16 * MIB,
    close_code=POLICY_VIOLATION,
)
# For the sockets of a network together: an office, for example. At most 3% of the process.
NETWORK = Allowance(
    messages=500,
    messages_at_once=2_000,
    bytes=512 * KIB,
    bytes_at_once=8 * MIB,
    waiting_bytes=32 * MIB,
    close_code=POLICY_VIOLATION,
)
# For all sockets of a process: at most a tenth of its time, and little enough memory.
PROCESS = Allowance(
    messages=2_000,
    messages_at_once=5_000,
    bytes=2 * MIB,
    bytes_at_once=32 * MIB,
    waiting_bytes=64 * MIB,
    close_code=TRY_AGAIN_LATER,
)


class Share:
    """What a socket, a network or the process may still use of its allowance. What a socket uses
    counts for its network and the process, too."""

    def __init__(self, allowance: Allowance, parent: "Share | None" = None) -> None:
        self._allowance = allowance
        self._parent = parent
        self._messages = float(allowance.messages_at_once)
        self._bytes = float(allowance.bytes_at_once)
        self._refilled = time.monotonic()
        self._waiting = 0
        self.open_sockets = 0

    def spend(self, *, messages: int = 0, bytes: int = 0) -> int | None:
        """Count what a client has sent. Return the code to close its socket with, if it has sent
        too much. That is not counted, so that others can send again as soon as before."""
        self._refill()
        if messages > self._messages or bytes > self._bytes:
            return self._allowance.close_code
        self._messages -= messages
        self._bytes -= bytes
        return self._parent.spend(messages=messages, bytes=bytes) if self._parent else None

    @contextmanager
    def waiting(self, size: int) -> Iterator[None]:
        """Count bytes that wait to be sent to a client. Raises Unavailable if too many wait."""
        if size <= ALWAYS_SENT_BYTES:
            yield
            return
        shares = list(self._with_parents())
        if not all(share._has_space_for(size) for share in shares):
            raise Unavailable(NOT_READ)
        for share in shares:
            share._waiting += size
        try:
            yield
        finally:
            for share in shares:
                share._waiting -= size

    def require_space(self) -> None:
        """Raise Unavailable if half of the bytes that may wait for the network, or for the process,
        do so. An operation would then do work whose result may not be sent."""
        parents = self._parent._with_parents() if self._parent else ()
        if any(2 * share._waiting > share._allowance.waiting_bytes for share in parents):
            raise Unavailable(NOT_READ)

    def _refill(self) -> None:
        now = time.monotonic()
        seconds, self._refilled = now - self._refilled, now
        allowance = self._allowance
        self._messages = min(
            allowance.messages_at_once, self._messages + seconds * allowance.messages
        )
        self._bytes = min(allowance.bytes_at_once, self._bytes + seconds * allowance.bytes)

    def _has_space_for(self, size: int) -> bool:
        # A result that is larger than the allowance is sent alone.
        return not self._waiting or self._waiting + size <= self._allowance.waiting_bytes

    def _with_parents(self) -> Iterator["Share"]:
        yield self
        if self._parent:
            yield from self._parent._with_parents()


class TooManySockets(Exception):
    """A handshake that is refused, with the status of the response."""

    def __init__(self, status: HTTPStatus, error: DomainError) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error


class SocketLimits:
    """The open WebSockets of this process, by network."""

    def __init__(self, *, per_network: int, per_process: int) -> None:
        self._per_network = per_network
        self._per_process = per_process
        self._process = Share(PROCESS)
        self._networks: dict[str, Share] = {}
        self._closed_networks: LRUCache[str, Share] = LRUCache(REMEMBERED_NETWORKS)

    @contextmanager
    def opening(self, network: str) -> Iterator[Share]:
        """Yield the share of a new socket while it is open. Raises TooManySockets."""
        if self._process.open_sockets >= self._per_process:
            raise TooManySockets(
                HTTPStatus.SERVICE_UNAVAILABLE, Overloaded("Too many WebSockets are open.")
            )
        share = self._share_of(network)
        if share.open_sockets >= self._per_network:
            raise TooManySockets(HTTPStatus.TOO_MANY_REQUESTS, TooManyAttempts(RETRY_AFTER_SECONDS))
        self._networks[network] = share
        for counted in (share, self._process):
            counted.open_sockets += 1
        try:
            yield Share(SOCKET, share)
        finally:
            for counted in (share, self._process):
                counted.open_sockets -= 1
            if not share.open_sockets:
                self._closed_networks[network] = self._networks.pop(network)

    def _share_of(self, network: str) -> Share:
        return (
            self._networks.get(network)
            or self._closed_networks.pop(network, None)
            or Share(NETWORK, self._process)
        )
