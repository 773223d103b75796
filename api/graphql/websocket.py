"""GraphQL over WebSockets. Malformed messages are refused before Strawberry's handler, which does
not expect them."""

import json
from collections.abc import Mapping
from contextlib import suppress
from copy import copy
from dataclasses import replace
from itertools import count
from typing import Any

from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected as CannotSend
from strawberry.asgi import GraphQL
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message, SubscribeMessage
from strawberry.types.unset import UNSET, UnsetType

from api.dependencies import graphql_context, token_in
from api.telemetry.observers import RequestObservers
from api.telemetry.request import RequestRecord, current
from domain.errors import PersistedQueryNotSupported
from graphql_schema.context import Context
from graphql_schema.schema import Schema

# Strawberry repeats an id or an operation's name in the reason of a close frame, which has at most
# 123 bytes (RFC 6455 section 5.5).
MAX_NAME_LENGTH = 64

# How a disconnected client shows, depending on when it disconnected.
_DISCONNECTED = (WebSocketDisconnect, WebSocketDisconnected, CannotSend)


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    view: "WebSockets"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._numbers = count(1)

    async def run_operation(self, operation: Operation[Context, None]) -> None:
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
            await super(Handler, alone).run_operation(operation)
            record.status = 200

    async def handle_task_exception(self, error: Exception) -> None:
        """Ignore clients that disconnect, for which Strawberry logs a traceback."""
        if not isinstance(error, _DISCONNECTED):
            await super().handle_task_exception(error)

    def forget_id(self, id: str) -> None:
        # An operation that ends while it is being cancelled is forgotten twice.
        self.operations.pop(id, None)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        if message["payload"].get("query") or not self.connection_acknowledged:
            await super().handle_subscribe(message)
            return
        why = PersistedQueryNotSupported()
        error = GraphQLError(why.message, extensions={"code": why.code})
        await self.send_message(
            {"id": message["id"], "type": "error", "payload": [error.formatted]}
        )

    async def handle_message(self, message: Message) -> None:
        if _is_well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("This is not a message of graphql-transport-ws.")


class WebSockets(GraphQL[Context, None]):
    """Strawberry's ASGI application, used for WebSockets only."""

    graphql_transport_ws_handler_class = Handler

    def __init__(
        self, schema: Schema, observers: RequestObservers, *, allowed_origins: tuple[str, ...]
    ) -> None:
        self.observers = observers
        super().__init__(
            schema,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            allowed_origins=allowed_origins,
        )

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        return graphql_context(request)

    async def on_ws_connect(self, context: Context) -> UnsetType:
        """Read the token in ``connection_init``: browsers cannot set headers on a WebSocket."""
        params = context.connection_params or {}
        context.bearer = context.bearer or token_in(params.get("Authorization"))
        acknowledge: UnsetType = UNSET
        return acknowledge

    def decode_json(self, data: str | bytes) -> Any:
        """Decode a message. Raises JSONDecodeError for anything that cannot be decoded, endless
        numbers and nesting included."""
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise json.JSONDecodeError("not JSON", "", 0) from None


def problem_in(request: Mapping[Any, Any]) -> str | None:
    """Return why the parameters of a GraphQL request are malformed, as a sentence, or None."""
    for name, kind, described in (
        ("query", str, "a string"),
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
        case {"type": "complete", "id": str(id)}:
            return _is_short(id)
        case {"type": "subscribe", "id": str(id), "payload": dict(request)}:
            return (
                problem_in(request) is None
                and bool(request.get("query") or _persisted_query(request))
                and _is_short(id)
                and _is_short(request.get("operationName"))
            )
    return False


def _persisted_query(request: Mapping[str, Any]) -> object:
    return (request.get("extensions") or {}).get("persistedQuery")


def _is_short(name: object) -> bool:
    return name is None or (
        isinstance(name, str) and name.isascii() and len(name) <= MAX_NAME_LENGTH
    )
