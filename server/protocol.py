"""HTTP/1.1 by uvicorn and httptools, with the limits on time and size and the rules of RFC 9112
that these do not have."""

import asyncio
import re
from datetime import timedelta
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.middleware.request_limits import ABORT, IS_CLOSING, IS_EVENT_STREAM

# The limit of uvicorn with h11. Browsers send a few KiB. It is for everything in a request but its
# body, so for chunk sizes, chunk extensions and trailers too (RFC 9112 section 7.1.1).
MAX_HEAD_BYTES = 64 * 1024

# Each takes a microsecond, before and in every part of the application. Browsers and proxies send
# some dozens.
MAX_HEADERS = 200

# Open connections, from which on a connection ends with its response. An idle one takes 13 KiB.
MAX_KEPT_CONNECTIONS = 2_000

# What a piece counts in addition to its bytes. A chunked body of empty lines has so many pieces
# that they would take 0.3 seconds of the event loop.
PIECE_BYTES = 4

# For a whole request, from the connection or from its first byte. A megabyte takes a second on a
# slow line.
REQUEST_TIMEOUT = timedelta(seconds=10)

# For the rest of a response, from when the system does not accept more of it.
RESPONSE_TIMEOUT = timedelta(seconds=30)

# The end of a head, and of a chunked body with or without trailers.
_EMPTY_LINE = b"\r\n\r\n"
_STARTS_OF_EMPTY_LINE = (b"\r\n\r", b"\r\n", b"\r")

# RFC 9112 section 3.2 and RFC 3986 section 3.2.2. It may be empty.
_HOST = re.compile(rb"([\w.~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(:\d*)?", re.ASCII)


class _Malformed(Exception):
    """The request breaks a rule, which the message says."""


class _Flow(FlowControl):
    """Keeps reading paused while bytes of a later request wait, whatever the application reads."""

    is_held = False

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class BoundedHttp(HttpToolsProtocol):
    """Handles one request of a connection at a time: the bytes after it are not parsed before its
    response is sent, and no more are read.

    Closes the connection of a client that sends too long a head, or takes too long to send a
    request or to read a response.
    """

    flow: _Flow

    _unparsed = b""
    # Bytes of the request that are not its body.
    _head_bytes = 0
    # Bytes of the body that have not arrived, if there is a Content-Length.
    _content_left: int | None = None
    _is_receiving = True
    _request_timer: asyncio.TimerHandle | None = None
    _response_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self._start_request_timer()

    def connection_lost(self, error: Exception | None) -> None:
        self._stop_request_timer()
        self._stop_response_timer()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._parse(self._unparsed + data)

    def on_message_begin(self) -> None:
        # Browsers connect before they have a request. The request then gets the whole time.
        self._stop_request_timer()
        self._is_receiving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        is_upgrade = self.parser.should_upgrade()
        if is_upgrade and not self._should_upgrade():
            return  # `_ignore_upgrade` parses it again.
        self._check_head_bytes()
        if len(self.headers) > MAX_HEADERS:
            raise _Malformed("The request has too many headers.")
        hosts = []
        for name, value in self.headers:
            if name == b"host":
                hosts.append(value)
            elif name == b"content-length":
                self._content_left = int(value)
        self._check_host(hosts)
        # Requests that wait for their turn are dropped when their client leaves.
        self.scope["state"][IS_CLOSING] = self.transport.is_closing
        self.scope["state"][ABORT] = self.transport.abort
        super().on_headers_complete()
        if not is_upgrade:
            if len(self.connections) > MAX_KEPT_CONNECTIONS:
                self.cycle.keep_alive = False
            # Trailers are dropped (RFC 9112 section 7.1.2). As headers, they would replace what a
            # proxy has set or checked.
            self.headers = []

    def on_body(self, body: bytes) -> None:
        if self._content_left is None:
            self._head_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._check_head_bytes()
        self._head_bytes = 0
        self._content_left = None
        if self.headers:
            # After a trailer `Connection: close`, a parser ignores all further requests, of which
            # some may be other clients' if a proxy shares the connection between them.
            self.parser = httptools.HttpRequestParser(self)
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
        self.flow.is_held = False
        super().on_response_complete()
        if self.transport.is_closing():
            self._start_response_timer()
        elif self._unparsed:
            self._parse(self._unparsed)

    def shutdown(self) -> None:
        super().shutdown()
        is_responding = self.cycle and not self.cycle.response_complete
        if is_responding and self.scope["state"].get(IS_EVENT_STREAM):
            # It would last as long as its client, who connects again.
            self.transport.close()

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

    def _parse(self, data: bytes) -> None:
        """Parse up to the end of one request, and keep the rest."""
        self._unset_keepalive_if_required()
        self._unparsed = b""
        self._is_receiving = True
        start = 0
        while start < len(data) and not self._is_responding():
            piece = self._next_piece(data, start)
            if not piece:
                break
            start += len(piece)
            if not self._feed(piece):
                return
        self._unparsed = data[start:]
        if self._unparsed and self._is_responding():
            self.flow.is_held = True
            self.flow.pause_reading()
        elif self._is_receiving and self._request_timer is None:
            self._start_request_timer()

    def _is_responding(self) -> bool:
        """Return whether a request is complete and its response is not."""
        cycle = self.cycle
        return cycle is not None and not (cycle.more_body or cycle.response_complete)

    def _next_piece(self, data: bytes, start: int) -> bytes:
        """Return and count the bytes to parse next. A request ends at their end, if at all."""
        if self._content_left is not None:
            piece = data[start : start + self._content_left]
            self._content_left -= len(piece)
            return piece
        end = data.find(_EMPTY_LINE, start)
        if end >= 0:
            piece = data[start : end + len(_EMPTY_LINE)]
        else:
            # The rest of an empty line may be in the next read.
            begun = next(filter(data.endswith, _STARTS_OF_EMPTY_LINE), b"")
            piece = data[start : len(data) - len(begun)]
        self._head_bytes += len(piece) + PIECE_BYTES
        return piece

    def _feed(self, piece: bytes) -> bool:
        """Parse a piece, and return whether more may follow it."""
        try:
            self.parser.feed_data(piece)
            self._check_head_bytes()
        except httptools.HttpParserUpgrade:
            return self._upgrade()
        except (httptools.HttpParserError, _Malformed) as error:
            reason = error if isinstance(error, _Malformed) else error.__context__
            message = str(reason) if isinstance(reason, _Malformed) else "The request is malformed."
            self.logger.warning(message)
            self.send_400_response(message)
            return False
        return True

    def _upgrade(self) -> bool:
        if self._should_upgrade():
            self.handle_websocket_upgrade()
            return False
        if self.parser.get_method() == b"CONNECT":
            self.send_400_response("CONNECT is for proxies.")
            return False
        return self._ignore_upgrade()

    def _ignore_upgrade(self) -> bool:
        """Parse the head again without `Upgrade`, which a server may ignore (RFC 9110 section 7.8).

        Otherwise the parser does not read the body, which would be taken for the next request.
        Java's client asks for an upgrade to HTTP/2 with every request.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        fields = [b"%b: %b\r\n" % field for field in self.headers if field[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        return self._feed(
            b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, b"".join(fields))
        )

    def _check_head_bytes(self) -> None:
        if self._head_bytes > MAX_HEAD_BYTES:
            raise _Malformed("The request head is too long.")

    def _check_host(self, hosts: list[bytes]) -> None:
        """Raise _Malformed unless there is one valid Host (RFC 9112 section 3.2)."""
        is_valid = len(hosts) == 1 and _HOST.fullmatch(hosts[0])
        if not is_valid and (hosts or self.parser.get_http_version() != "1.0"):
            raise _Malformed("The request must have one valid Host header.")

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
