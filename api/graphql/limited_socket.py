"""The ``receive`` and ``send`` of a WebSocket, within the limits of `socket_limits`.

They work with any ASGI server. `server/websocket.py` adds what only the transport can limit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from starlette.types import Message, Receive, Scope, Send

from api.graphql.socket_limits import SPENT_BY_SERVER, Share
from api.middleware.request_limits import MAX_BODY_BYTES

# Since the client's last message, without subscriptions. No other operation takes as long
# (REQUEST_DEADLINE_SECONDS). Answers to the server's pings do not count: browsers send them whether
# the page uses the socket or not. A client that needs the socket open sends `ping` messages
# (`keepAlive` of graphql-ws).
IDLE_TIMEOUT = timedelta(minutes=10)

# What the server and the application do for a handshake.
HANDSHAKE_SECONDS = 0.001

# What a message costs in addition to its handling, which is timed: its frames, and the task of the
# operation that it starts or cancels.
MESSAGE_SECONDS = 0.0001

# For one message, as for the response to a request (RESPONSE_TIMEOUT of server/protocol.py).
SEND_TIMEOUT = timedelta(seconds=30)

# For the last messages of a socket whose session has ended.
CUT_OFF_AFTER = timedelta(seconds=1)

# RFC 6455 section 7.4.1. Clients of graphql-ws connect again when they have an operation.
NORMAL_CLOSURE = 1000
MESSAGE_TOO_BIG = 1009

# RFC 6455 section 7.4.1. The application does nothing with the code.
_DISCONNECTED = {"type": "websocket.disconnect", "code": 1006}


class LimitedSocket:
    """Limits what a client sends, how long its socket is idle, and what it does not read."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        share: Share,
        pace: Callable[[float], Awaitable[None]],
    ) -> None:
        self._receive = receive
        self._send = send
        self._share = share
        self._pace = pace
        # The time from which the application handles what it has received: first the handshake.
        self._handling_since = time.perf_counter() - HANDSHAKE_SECONDS
        # One at a time: a server may let all of them send as soon as the client reads again.
        self._sending = asyncio.Lock()
        self._idle: asyncio.Timeout | None = None
        self._is_closed = False
        self._kept_open = 0
        self._cut_off: asyncio.TimerHandle | None = None
        spend_in_server = scope.get("extensions", {}).get(SPENT_BY_SERVER)
        self._spends = spend_in_server is None
        if spend_in_server:
            spend_in_server(share)

    async def receive(self) -> Message:
        # Requests of others run between two messages, however many have arrived at once.
        await self._pace(time.perf_counter() - self._handling_since + MESSAGE_SECONDS)
        try:
            return await self._receive_one()
        finally:
            self._handling_since = time.perf_counter()

    async def _receive_one(self) -> Message:
        if self._is_closed:
            return _DISCONNECTED
        try:
            message = await self._receive_in_time()
        except TimeoutError:
            if self._is_closed:
                return _DISCONNECTED
            return await self._close(NORMAL_CLOSURE, "The socket was idle.")
        if message["type"] != "websocket.receive":
            return message
        size = len(message.get("text") or message.get("bytes") or "")
        if size > MAX_BODY_BYTES:
            return await self._close(MESSAGE_TOO_BIG, "The message is too large.")
        if self._spends and (code := self._share.spend(messages=1, bytes=size)):
            return await self._close(code, "Too many messages.")
        return message

    async def _receive_in_time(self) -> Message:
        while True:
            try:
                async with asyncio.timeout(IDLE_TIMEOUT.total_seconds()) as self._idle:
                    return await self._receive()
            except TimeoutError:
                if self._is_closed or not self._kept_open:
                    raise
            finally:
                self._idle = None

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Do not count the socket as idle while the block runs."""
        self._kept_open += 1
        try:
            yield
        finally:
            self._kept_open -= 1

    async def send(self, message: Message) -> None:
        """Send a message. Raises OSError if the client has not read the ones before in time."""
        async with self._sending:
            await self._send_in_time(message)

    async def wait_until_read(self) -> None:
        """Wait until the client has read what was sent before."""
        async with self._sending:
            pass

    async def _send_in_time(self, message: Message) -> None:
        if self._is_closed:
            raise OSError("the socket is closed")
        self._is_closed = message["type"] == "websocket.close"
        try:
            async with asyncio.timeout(SEND_TIMEOUT.total_seconds()):
                await self._send(message)
        except TimeoutError:
            self.give_up()
            raise

    def cut_off_soon(self) -> None:
        """Close the socket in a moment, even if its client does not read."""
        if self._cut_off is None:
            loop = asyncio.get_running_loop()
            self._cut_off = loop.call_later(CUT_OFF_AFTER.total_seconds(), self.give_up)

    def give_up(self) -> None:
        """End ``receive`` and all that wait to send."""
        self._is_closed = True
        if self._idle and not self._idle.expired():
            self._idle.reschedule(asyncio.get_running_loop().time())

    async def _close(self, code: int, reason: str) -> Message:
        with suppress(OSError):
            await self.send({"type": "websocket.close", "code": code, "reason": reason})
        return _DISCONNECTED
