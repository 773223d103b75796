"""GraphQL over WebSockets, by the protocol graphql-transport-ws.

Malformed messages are refused before Strawberry's handler, which does not expect them. An error of
one operation leaves the socket and its other operations alone.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected as CannotSend
from strawberry.asgi import GraphQL
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    Message,
    SubscribeMessage,
)
from strawberry.types.unset import UNSET, UnsetType

from api.dependencies import graphql_context, token_in
from api.fair_scheduler import FairScheduler
from api.graphql.json_input import parse
from api.graphql.json_output import MAX_SMALL_BYTES, to_json, to_json_in_pieces
from api.graphql.limited_socket import LimitedSocket
from api.graphql.socket_limits import RETRY_AFTER_SECONDS, SocketLimits, TooManySockets
from api.telemetry.observers import RequestObservers
from api.telemetry.request import RequestRecord, current
from domain.access_tokens.tokens import MAX_LENGTH as MAX_TOKEN_LENGTH
from domain.devices import network_of
from domain.errors import (
    DomainError,
    InvalidInput,
    Overloaded,
    TooManyAttempts,
)
from graphql_schema.context import Context
from graphql_schema.errors import translate
from graphql_schema.schema import Schema

# Strawberry repeats an id in the reason of a close frame, which has at most 123 bytes (RFC 6455
# section 5.5).
MAX_ID_LENGTH = 64

# As for a request (REQUEST_TIMEOUT of server/protocol.py).
CONNECTION_INIT_TIMEOUT = timedelta(seconds=10)

# Operations of a socket that run or send their result: as many as a browser has connections over
# HTTP/1.1. Others wait, so that a client that does not read gets no more work done.
MAX_RUNNING_OPERATIONS = 6

# Running and waiting. A page that loads sends some dozens at once.
MAX_OPERATIONS = 100

# The key of the scope of a WebSocket.
LIMITED_SOCKET = "gatehouse.limited_socket"

# How a disconnected client shows, depending on when it disconnected.
_DISCONNECTED = (WebSocketDisconnect, WebSocketDisconnected, CannotSend)


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    view: "WebSockets"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._numbers = count(1)
        self._running = asyncio.Semaphore(MAX_RUNNING_OPERATIONS)
        self._websocket: WebSocket = options["websocket"].ws
        self._socket: LimitedSocket = self._websocket.scope[LIMITED_SOCKET]

    async def handle_message(self, message: Message) -> None:
        if _is_well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("This is not a message of graphql-transport-ws.")

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        # The protocol requires that Strawberry closes the socket if it is not initialized, or if
        # the id is in use.
        if not self.connection_acknowledged or message["id"] in self.operations:
            await super().handle_subscribe(message)
        elif len(self.operations) >= MAX_OPERATIONS:
            await self._refuse(message["id"], TooManyAttempts(1))
        else:
            await self._subscribe(message)

    async def _subscribe(self, message: SubscribeMessage) -> None:
        try:
            text = self._text_of(message["payload"])
        except DomainError as error:
            await self._refuse(message["id"], error)
        else:
            payload: Any = {**message["payload"], "query": text}
            await super().handle_subscribe({**message, "payload": payload})

    def _text_of(self, payload: object) -> str:
        """Return the document of a payload. Raises DomainError if there is none."""
        if not isinstance(payload, dict):
            raise InvalidInput("`payload` must be an object.")
        if problem := problem_in(payload):
            raise InvalidInput(problem)
        text = self.view.schema.trusted_documents.text_of(payload)
        if text is None:
            raise InvalidInput("No GraphQL query found in the request")
        return text

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        async with self._running:
            await self._socket.wait_until_read()
            await self._observe(operation)

    async def _observe(self, operation: Operation[Context, None]) -> None:
        """Run an operation with its own context and record, as a request has: a socket outlives
        both."""
        socket = current()
        record = RequestRecord(
            request_id=f"{socket.request_id}.{next(self._numbers)}",
            method=socket.method,
            route=socket.route,
            ip=socket.ip,
        )
        alone = copy(self)
        alone.context = record.context = replace(self.context, request_id=record.request_id)
        with self.view.observers.observe(record), suppress(*_DISCONNECTED):
            work = super(Handler, alone).run_operation(operation)
            try:
                await self.view.scheduler.run(alone.context.device.network, work)
            except Overloaded as error:
                await alone._refuse_begun(operation, error)
            record.status = 200

    async def send_message(self, message: Message) -> None:
        """Send a message. Raises QueryTooCostly or Overloaded if it is too large a result."""
        context = current().context
        is_large = context is not None and context.response.may_be_large
        text = await to_json_in_pieces(message) if is_large else to_json(message)
        if context and len(text) > MAX_SMALL_BYTES:
            context.response.grow_to(len(text))
        await self._websocket.send_text(text.decode())

    async def handle_task_exception(self, error: Exception) -> None:
        """Ignore clients that disconnect, for which Strawberry logs a traceback."""
        if not isinstance(error, _DISCONNECTED):
            await super().handle_task_exception(error)

    def forget_id(self, id: str) -> None:
        # An operation that ends while it is being cancelled is forgotten twice.
        self.operations.pop(id, None)

    async def _send_result_stream(
        self, operation: Operation[Context, None], result_source: StreamResult
    ) -> None:
        refused = None
        try:
            await super()._send_result_stream(operation, result_source)
        except DomainError as error:
            # Without its traceback, which keeps the result in memory.
            refused = error.with_traceback(None)
        if refused:
            await self._refuse_begun(operation, refused)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """Return None: Strawberry would close the socket on a syntax error."""
        return None

    async def _refuse_begun(self, operation: Operation[Context, None], error: DomainError) -> None:
        current().codes = (error.code,)
        operation.completed = True
        self.forget_id(operation.id)
        await self._refuse(operation.id, error)

    async def _refuse(self, id: str, error: DomainError) -> None:
        located = GraphQLError(error.message, original_error=error)
        translate(located, request_id=current().request_id, suggestions=False)
        await self.send_message({"id": id, "type": "error", "payload": [located.formatted]})


class WebSockets(GraphQL[Context, None]):
    """Strawberry's ASGI application, used for WebSockets only."""

    graphql_transport_ws_handler_class = Handler
    schema: Schema

    def __init__(
        self,
        schema: Schema,
        observers: RequestObservers,
        *,
        scheduler: FairScheduler,
        allowed_origins: tuple[str, ...],
        limits: SocketLimits,
    ) -> None:
        self.observers = observers
        self.scheduler = scheduler
        self._limits = limits
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=CONNECTION_INIT_TIMEOUT,
            # The handler has its own limit, and an error with a code.
            max_subscriptions_per_connection=None,
            allowed_origins=allowed_origins,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host, _ = scope.get("client") or (None, None)
        network = network_of(host)
        pace = partial(self.scheduler.pace, network)
        try:
            with self._limits.opening(network) as share:
                socket = scope[LIMITED_SOCKET] = LimitedSocket(scope, receive, send, share, pace)
                await super().__call__(scope, socket.receive, socket.send)
        except TooManySockets as error:
            await _refuse_handshake(WebSocket(scope, receive, send), error)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        return graphql_context(request)

    async def on_ws_connect(self, context: Context) -> UnsetType:
        """Read the token in ``connection_init``: browsers cannot set headers on a WebSocket."""
        params = context.connection_params or {}
        token = token_in(params.get("Authorization"))
        # A socket keeps no more than it needs: longer tokens are invalid.
        context.bearer = context.bearer or (token and token[: MAX_TOKEN_LENGTH + 1])
        context.connection_params = None
        acknowledge: UnsetType = UNSET
        return acknowledge

    def decode_json(self, data: str | bytes) -> Any:
        """Decode a message. Raises JSONDecodeError for anything that cannot be decoded in time,
        endless numbers and nesting included."""
        try:
            return parse(data.decode() if isinstance(data, bytes) else data)
        except (ValueError, RecursionError):
            raise json.JSONDecodeError("not JSON", "", 0) from None


def problem_in(request: Mapping[Any, Any]) -> str | None:
    """Return why the parameters of a GraphQL request are malformed, as a sentence, or None."""
    for name, kind, described in (
        ("query", str, "a string"),
        ("documentId", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        if not isinstance(request.get(name), kind | None):
            return f"`{name}` must be {described} or null."
    return None


def _is_well_formed(message: object) -> bool:
    match message:
        case {"type": "connection_init" | "ping" | "pong", **others}:
            return isinstance(others.get("payload"), dict | None)
        case {"type": "complete", "id": str(id)} | {
            "type": "subscribe",
            "id": str(id),
            "payload": _,
        }:
            return id.isascii() and len(id) <= MAX_ID_LENGTH
    return False


async def _refuse_handshake(socket: WebSocket, error: TooManySockets) -> None:
    current().codes = (error.error.code,)
    if "websocket.http.response" not in socket.scope.get("extensions", {}):
        await socket.close()
        return
    response = JSONResponse(
        {"errors": [{"message": str(error), "extensions": {"code": error.error.code}}]},
        status_code=error.status,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
    await socket.send_denial_response(response)
