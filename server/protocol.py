"""HTTP/1.1 by uvicorn and httptools, with the limits on time and size that these do not have."""

import asyncio
from datetime import timedelta
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# The limit of uvicorn with h11. Browsers send a few KiB.
MAX_HEAD_BYTES = 64 * 1024

# For a whole request, from the connection or from its first byte. A megabyte takes a second on a
# slow line.
REQUEST_TIMEOUT = timedelta(seconds=10)

# For the rest of a response, from when the system does not accept more of it.
RESPONSE_TIMEOUT = timedelta(seconds=30)


class BoundedHttp(HttpToolsProtocol):
    """Closes the connection of a client that sends too long a head, or takes too long to send a
    request or to read a response."""

    _unparsed_bytes = 0
    _is_receiving = True
    _request_timer: asyncio.TimerHandle | None = None
    _response_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_request_timer()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_request_timer()
        self._stop_response_timer()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._unparsed_bytes += len(data)
        self._is_receiving = True
        super().data_received(data)
        if self._unparsed_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The request head is too long.")
        elif self._is_receiving and self._request_timer is None:
            self._start_request_timer()

    def on_message_begin(self) -> None:
        # Browsers connect before they have a request. The request then gets the whole time.
        self._stop_request_timer()
        self._is_receiving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._unparsed_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed_bytes = 0
        self._stop_request_timer()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        if self.scope["method"] == "GET":
            self._stop_request_timer()
            super().handle_websocket_upgrade()
            if not self.transport.get_protocol().handshake_initiated:  # type: ignore[attr-defined]
                # It has a body, or too long a head. The protocol would keep the connection open
                # without a response.
                self.send_400_response("This is not a valid WebSocket handshake.")
        else:
            # RFC 6455 section 4.1. The WebSocket protocol would not respond.
            self.send_400_response("A WebSocket handshake must use GET.")

    def send_400_response(self, msg: str) -> None:
        self._close_with(HTTPStatus.BAD_REQUEST, msg)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._start_response_timer()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._start_response_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start_response_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_response_timer()

    def _start_request_timer(self) -> None:
        self._request_timer = self.loop.call_later(
            REQUEST_TIMEOUT.total_seconds(), self._on_request_timeout
        )

    def _stop_request_timer(self) -> None:
        self._is_receiving = False
        if self._request_timer:
            self._request_timer.cancel()
            self._request_timer = None

    def _on_request_timeout(self) -> None:
        if self.flow.read_paused:
            # The application has not read what has arrived, so the client is not at fault.
            self._start_request_timer()
        elif not self.transport.is_closing():
            self._close_with(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to send.")

    def _start_response_timer(self) -> None:
        if self._response_timer is None:
            self._response_timer = self.loop.call_later(
                RESPONSE_TIMEOUT.total_seconds(), self.transport.abort
            )

    def _stop_response_timer(self) -> None:
        if self._response_timer:
            self._response_timer.cancel()
            self._response_timer = None

    def _close_with(self, status: HTTPStatus, message: str) -> None:
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
        self._start_response_timer()
