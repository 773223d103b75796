"""A request and its answer: what is known of them when they are over, gathered on the way and told to whoever watches."""

import asyncio
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.headers import Header
from domain.devices import ip_of
from domain.errors import ErrorCode
from graphql_schema.context import Context

# What a proxy or a client calls a request is taken over if it can do no harm in a log or a header.
_HARMLESS_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")

# RFC 9110 section 9.1 and RFC 5789. Whatever else a client calls a method is one of its own making.
_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
)
WEBSOCKET = "WEBSOCKET"

# A document may name its operation as long as itself.
MAX_NAME_LENGTH = 64

# nginx's status for a client that has left before there was an answer. It is never sent.
LEFT = 499


@dataclass(slots=True, kw_only=True)
class Exchange:
    """A request with its answer, or an operation over a WebSocket. No secret and nothing of any length: what a client has
    chosen is in here only where it is bounded and harmless.

    ``route`` is the template that the path matched, None if none did. ``codes`` are those of the errors that were answered,
    ``user_id`` is whose token was read, if any was; ``started`` and ``seconds`` are times of `time.perf_counter`. ``context`` is
    the operation's, for what it knows at the end.
    """

    request_id: str = "-"
    method: str = "-"
    route: str | None = None
    ip: str | None = None
    status: int | None = None
    operation_type: str | None = None
    operation_name: str | None = None
    fields: Sequence[str] = ()
    codes: Sequence[str] = ()
    user_id: str | None = None
    trace_id: str | None = None
    context: Context | None = field(default=None, repr=False)
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def end(self) -> None:
        self.seconds = time.perf_counter() - self.started
        self.status = self.status or LEFT
        if self.context:
            self._learn_from(self.context)

    def _learn_from(self, context: Context) -> None:
        """What the graph has found out, however far it came."""
        if context.operation is not None:
            name = context.operation.name
            self.operation_type = context.operation.operation.value
            self.operation_name = name.value[:MAX_NAME_LENGTH] if name else None
        self.fields, self.user_id = context.root_fields, context.user_id
        self.codes = self.codes or context.codes


_current: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def current() -> Exchange:
    """The one that this is done for; outside of any, one that nobody watches."""
    return _current.get() or Exchange()


def request_id() -> str | None:
    """What the answer's header ``X-Request-ID`` and the log call the current request, if there is one."""
    exchange = _current.get()
    return exchange.request_id if exchange else None


@dataclass(frozen=True, slots=True)
class Watch:
    """Those who are told of every exchange when it is over, and who traces it until then, if anyone does."""

    observers: Sequence[Callable[[Exchange], None]] = ()
    trace: Callable[[Exchange, Sequence[Header]], AbstractContextManager[None]] | None = None

    @contextmanager
    def over(self, exchange: Exchange, headers: Sequence[Header] = ()) -> Iterator[None]:
        """Make it the current one, and tell of it at the end of the block. ``headers`` are those of its request."""
        outer = _current.set(exchange)
        try:
            with self.trace(exchange, headers) if self.trace else nullcontext():
                try:
                    yield
                except Exception:
                    exchange.status = exchange.status or 500
                    raise
                finally:
                    exchange.end()
        finally:
            for tell in self.observers:
                tell(exchange)
            _current.reset(outer)


class Exchanges:
    """Around whatever answers: gives each request its id, and tells the watch of it."""

    def __init__(self, app: ASGIApp, watch: Watch) -> None:
        self.app = app
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        exchange = _begin(scope)
        scope.setdefault("state", {})["request_id"] = exchange.request_id
        own_id = (b"x-request-id", exchange.request_id.encode())

        async def send_and_note(message: Message) -> None:
            if exchange.status is None and (status := _status(message)):
                exchange.status, exchange.route = status, _route(scope)
                message["headers"] = [*message.get("headers", ()), own_id]
            await send(message)

        with self._watch.over(exchange, scope["headers"]):
            try:
                await self.app(scope, receive, send_and_note)
            except asyncio.CancelledError:
                # It is the server that goes, and `Farewell` that says so: no client has left.
                if exchange.status is None and scope["type"] == "http":
                    exchange.status, exchange.codes = 503, (ErrorCode.UNAVAILABLE,)
                raise
            finally:
                exchange.route = _route(scope)


def _begin(scope: Scope) -> Exchange:
    client = scope.get("client")
    method = scope.get("method", WEBSOCKET)
    return Exchange(
        request_id=_id_in(scope["headers"]) or token_hex(16),
        method=method if method in _METHODS or method == WEBSOCKET else "OTHER",
        ip=ip_of(client[0]) if client else None,
    )


def _id_in(headers: Sequence[Header]) -> str | None:
    for name, value in headers:
        if name == b"x-request-id":
            return value.decode() if _HARMLESS_ID.fullmatch(value) else None
    return None


def _route(scope: Scope) -> str | None:
    """The template that the path has matched, as far as it has been looked at."""
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
            return 403  # before it was accepted, which is how a server says so
    return None
