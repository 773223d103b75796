"""Gives each request an id and a record."""

import asyncio
import re
from collections.abc import Sequence
from random import getrandbits

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import Header
from api.telemetry.observers import RequestObservers
from api.telemetry.request import WEBSOCKET, RequestRecord
from domain.devices import ip_of
from domain.errors import ErrorCode

# An incoming X-Request-ID is reused if it is harmless in a log and in a header.
_HARMLESS_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")

# RFC 9110 section 9.1 and RFC 5789. Clients can send any other word as a method.
_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
)


class RequestContextMiddleware:
    """Wraps the application: sets the request's id and reports its record to the observers."""

    def __init__(self, app: ASGIApp, observers: RequestObservers) -> None:
        self.app = app
        self._observers = observers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        record = _begin(scope)
        scope.setdefault("state", {})["request_id"] = record.request_id
        own_id = (b"x-request-id", record.request_id.encode())

        async def send_and_note(message: Message) -> None:
            if record.status is None and (status := _status(message)):
                record.status, record.route = status, _route(scope)
                # A document sent by GET may hold a password. Servers log the URL when they send the
                # response.
                scope["query_string"] = b""
                message["headers"] = [*message.get("headers", ()), own_id]
            await send(message)

        with self._observers.observe(record, scope["headers"]):
            try:
                await self.app(scope, receive, send_and_note)
            except asyncio.CancelledError:
                # The server is shutting down and `ShutdownResponder` answers; the client has not
                # disconnected.
                if record.status is None and scope["type"] == "http":
                    record.status, record.codes = 503, (ErrorCode.UNAVAILABLE,)
                raise
            finally:
                record.route = _route(scope)


def _begin(scope: Scope) -> RequestRecord:
    client = scope.get("client")
    method = scope.get("method", WEBSOCKET)
    return RequestRecord(
        request_id=_id_in(scope["headers"]) or f"{getrandbits(128):032x}",
        method=method if method in _METHODS or method == WEBSOCKET else "OTHER",
        ip=ip_of(client[0]) if client else None,
    )


def _id_in(headers: Sequence[Header]) -> str | None:
    for name, value in headers:
        if name == b"x-request-id":
            return value.decode() if _HARMLESS_ID.fullmatch(value) else None
    return None


def _route(scope: Scope) -> str | None:
    """Return the template that the path matched, if it matched one by now."""
    route: str | None = getattr(scope.get("route"), "path", None)
    return route


def _status(message: Message) -> int | None:
    match message["type"]:
        case "http.response.start" | "websocket.http.response.start":
            status: int = message["status"]
            return status
        case "websocket.accept":
            return 101
        case "websocket.close":
            return 403  # closed before it was accepted, which means refused
    return None
