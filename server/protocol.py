"""HTTP as uvicorn speaks it by httptools, which by itself waits for a client without end, and reads without end."""

import asyncio
from datetime import timedelta
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# As much as uvicorn reads of a head by h11. Browsers send a few KiB.
MAX_HEAD_BYTES = 64 * 1024

# The whole of a request, from when the client has connected or begun. A megabyte takes a second on a poor line.
TO_SEND = timedelta(seconds=10)

# What is left of an answer when the system takes no more of it.
TO_READ = timedelta(seconds=30)


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose client sends a head without end, or takes too long to send a request or to read an answer."""

    _unfinished = 0
    _is_sending = True
    _send_limit: asyncio.TimerHandle | None = None
    _read_limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit_sending()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_sending()
        self._stop_reading()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._unfinished += len(data)
        self._is_sending = True
        super().data_received(data)
        if self._unfinished > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")
        elif self._is_sending and self._send_limit is None:
            self._limit_sending()

    def on_message_begin(self) -> None:
        # Browsers connect before there is anything to ask: what they ask then has its own time.
        self._stop_sending()
        self._is_sending = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._unfinished = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = 0
        self._stop_sending()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        if self.scope["method"] == "GET":
            self._stop_sending()
            super().handle_websocket_upgrade()
            if not self.transport.get_protocol().handshake_initiated:  # type: ignore[attr-defined]
                # A body, or a head beyond what it reads. It would keep the connection and say nothing, without end.
                self.send_400_response("This is no handshake of a WebSocket.")
        else:
            # RFC 6455 section 4.1. (The protocol of the WebSockets would not answer.)
            self.send_400_response("A WebSocket begins with GET.")

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._limit_reading()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._limit_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._limit_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_reading()

    def _limit_sending(self) -> None:
        self._send_limit = self.loop.call_later(TO_SEND.total_seconds(), self._end_sending)

    def _stop_sending(self) -> None:
        self._is_sending = False
        if self._send_limit:
            self._send_limit.cancel()
            self._send_limit = None

    def _end_sending(self) -> None:
        if self.flow.read_paused:
            # It is we who have not read on.
            self._limit_sending()
        elif not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to send.")

    def _limit_reading(self) -> None:
        if self._read_limit is None:
            self._read_limit = self.loop.call_later(TO_READ.total_seconds(), self.transport.abort)

    def _stop_reading(self) -> None:
        if self._read_limit:
            self._read_limit.cancel()
            self._read_limit = None

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        if self.cycle and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
            return
        self.transport.write(
            (
                f"HTTP/1.1 {status.value} {status.phrase}\r\n"
                "content-type: text/plain; charset=utf-8\r\n"
                "x-content-type-options: nosniff\r\n"
                f"content-length: {len(message)}\r\n"
                "connection: close\r\n\r\n"
                f"{message}"
            ).encode("ascii")
        )
        self.transport.close()
        self._limit_reading()
