"""WebSockets by uvicorn and websockets, with the limits that these do not have.

`api/graphql/socket_limits.py` has the limits that hold with any server. Here are those that only
the transport can hold: on frames, on the time that a client takes to send a message, and on the
time that it takes to read one.
"""

import asyncio
from datetime import timedelta
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.graphql.socket_limits import POLICY_VIOLATION, SPENT_BY_SERVER, Share
from server.protocol import REQUEST_TIMEOUT, RESPONSE_TIMEOUT

# What is parsed before others run. The shortest frames have 6 bytes and take some microseconds.
PARSED_AT_ONCE = 1024

# From the close frame to the end of the connection. At once, the system would reset a connection of
# which it has unread data, and the client would not get the frame.
CLOSE_DELAY = timedelta(seconds=0.5)


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """Closes the socket of a client that sends too many frames, or takes too long to send a message
    or to read one. Parses a few frames at a time, and none while a message waits for the
    application."""

    _share: Share | None = None
    _message_timer: asyncio.TimerHandle | None = None
    _read_timer: asyncio.TimerHandle | None = None
    _is_parsing_soon = False
    _has_failed = False

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._unparsed = bytearray()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        # The HTTP protocol may have paused it, until the requests before had their responses.
        self.read_paused = not transport.is_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unparsed.clear()
        self._stop_message_timer()
        self._stop_read_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            # The head of the request. `BoundedHttp` has limited it.
            super().data_received(data)
            return
        if not self._has_failed and self._spend(bytes=len(data)):
            self._unparsed += data
            self._parse()

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            self.scope["extensions"][SPENT_BY_SERVER] = self._spend_from  # type: ignore[assignment]

    def handle_events(self) -> None:
        if self.conn.events and self.conn.current_size is None:
            self._stop_message_timer()
        if self._spend(messages=len(self.conn.events)):
            super().handle_events()

    async def receive(self) -> Any:
        message = await self.queue.get()
        self._parse_soon()
        return message

    async def send(self, message: Any) -> None:
        """Send a message. Return when the client, or the system, has taken most of it."""
        if self._has_failed or self.transport.is_closing():
            raise ClientDisconnected
        await super().send(message)
        if self.initial_response and self.close_sent:
            # A refused handshake is complete. uvicorn would log it as an error.
            self.handshake_complete = True
        self._parse_soon()
        await self.writable.wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_read_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_read_timer()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        # The transport closes when the client has read the rest.
        self._start_read_timer()

    def handle_parser_exception(self) -> None:
        """Close the socket without its closing handshake (RFC 6455 section 7.1.7), and process
        nothing that has arrived."""
        self._has_failed = self.close_sent = True
        self._unparsed.clear()
        self._pause_reading()
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self.close_timer = self.loop.call_later(CLOSE_DELAY.total_seconds(), self.transport.close)

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._start_read_timer()

    def _spend_from(self, share: Share) -> None:
        self._share = share

    def _spend(self, *, messages: int = 0, bytes: int = 0) -> bool:
        """Count what has arrived. Close the socket and return False if it is too much."""
        if self._share and (code := self._share.spend(messages=messages, bytes=bytes)):
            self._fail(code, "Too many messages.")
            return False
        return True

    def _parse(self) -> None:
        """Parse a part of what has arrived, and the next one after others have run."""
        self._is_parsing_soon = False
        if self._may_parse():
            part = bytes(self._unparsed[:PARSED_AT_ONCE])
            del self._unparsed[:PARSED_AT_ONCE]
            super().data_received(part)
            self._time_message()
        self._parse_soon()

    def _parse_soon(self) -> None:
        if self._has_failed or self.transport.is_closing():
            self._unparsed.clear()
        elif self._unparsed:
            self._pause_reading()
            if self._may_parse() and not self._is_parsing_soon:
                self._is_parsing_soon = True
                self.loop.call_soon(self._parse)
        elif self._may_read():
            self._resume_reading()

    def _may_read(self) -> bool:
        # After a close frame uvicorn drops messages, and reads on for the client's close frame.
        return self.close_sent or self.queue.empty()

    def _may_parse(self) -> bool:
        return bool(self._unparsed) and self.handshake_complete and self._may_read()

    def _pause_reading(self) -> None:
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def _resume_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _fail(self, code: int, reason: str) -> None:
        if self.handshake_complete:
            self.conn.fail(code, reason)
            self.handle_parser_exception()
        else:
            self.transport.abort()

    def _time_message(self) -> None:
        """Limit the time from the first byte of a message to its last."""
        is_incomplete = self.conn.current_size is not None or self.conn.reader.buffer
        if is_incomplete and self._message_timer is None and not self._has_failed:
            self._message_timer = self.loop.call_later(
                REQUEST_TIMEOUT.total_seconds(), self._on_message_timeout
            )

    def _stop_message_timer(self) -> None:
        if self._message_timer:
            self._message_timer.cancel()
            self._message_timer = None

    def _on_message_timeout(self) -> None:
        self._message_timer = None
        if self.read_paused:
            # The application has not taken what has arrived, so the client is not at fault.
            self._time_message()
        elif not (self._has_failed or self.transport.is_closing()):
            self._fail(POLICY_VIOLATION, "The message took too long to send.")

    def _start_read_timer(self) -> None:
        if self._read_timer is None and not self.disconnected:
            self._read_timer = self.loop.call_later(
                RESPONSE_TIMEOUT.total_seconds(), self.transport.abort
            )

    def _stop_read_timer(self) -> None:
        if self._read_timer:
            self._read_timer.cancel()
            self._read_timer = None
