"""What WebSockets may use: how many are open, and what they send.

HTTP needs less of this, because a request has one body.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from cachetools import LRUCache

from domain.errors import DomainError, Overloaded, TooManyAttempts
from domain.token_bucket import TokenBucket

# A server that can count what a WebSocket sends, frame by frame, offers this ASGI extension: a
# function that takes the socket's `Share`, spends from it, and closes the socket.
SPENT_BY_SERVER = "gatehouse.spent_by_server"

KIB = 1024
MIB = 1024 * KIB

# Networks whose sockets have closed, so that a new socket does not start with a full share. Each
# takes some hundred bytes.
REMEMBERED_NETWORKS = 10_000

RETRY_AFTER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be sent for each second, and what may be sent at once after a pause. ``close_code``
    is for a socket that sends more."""

    messages: int
    messages_at_once: int
    bytes: int
    bytes_at_once: int
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
    messages_at_once=200,
    bytes=128 * KIB,
    bytes_at_once=4 * MIB,
    close_code=POLICY_VIOLATION,
)
# For the sockets of a network together: an office, for example. At most 3% of the process.
NETWORK = Allowance(
    messages=500,
    messages_at_once=1_000,
    bytes=512 * KIB,
    bytes_at_once=8 * MIB,
    close_code=POLICY_VIOLATION,
)
# For all sockets of a process: at most a tenth of its time, and little enough memory.
PROCESS = Allowance(
    messages=2_000,
    messages_at_once=5_000,
    bytes=2 * MIB,
    bytes_at_once=32 * MIB,
    close_code=TRY_AGAIN_LATER,
)


class Share:
    """What a socket, a network or the process may still use of its allowance. What a socket uses
    counts for its network and the process, too."""

    def __init__(self, allowance: Allowance, parent: "Share | None" = None) -> None:
        self._close_code = allowance.close_code
        self._parent = parent
        self._messages = TokenBucket(allowance.messages, allowance.messages_at_once)
        self._bytes = TokenBucket(allowance.bytes, allowance.bytes_at_once)
        self.open_sockets = 0

    def spend(self, *, messages: int = 0, bytes: int = 0) -> int | None:
        """Count what a client has sent. Return the code to close its socket with, if it has sent
        too much. That is not counted, so that others can send again as soon as before."""
        if messages > self._messages.left or bytes > self._bytes.left:
            return self._close_code
        self._messages.take(messages)
        self._bytes.take(bytes)
        return self._parent.spend(messages=messages, bytes=bytes) if self._parent else None


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
