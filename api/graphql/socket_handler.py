"""The messages of a WebSocket, by the protocol graphql-transport-ws.

Malformed messages are refused before Strawberry's handler, which does not expect them. An error of
one operation leaves the socket and its other operations alone.
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, cast

from graphql import GraphQLError
from starlette.websockets import WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketDisconnected as CannotSend
from strawberry.asgi import GraphQL
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message, SubscribeMessage
from strawberry.types.execution import ExecutionResult, PreExecutionError

from api.fair_scheduler import FairScheduler
from api.graphql.json_input import NO_QUERY, problem_in
from api.graphql.json_output import to_json, to_json_within
from api.graphql.limited_socket import LimitedSocket
from api.telemetry.observers import RequestObservers
from api.telemetry.request import RequestRecord, current
from domain.errors import (
    DomainError,
    InvalidInput,
    Overloaded,
    SessionEnded,
    TokenExpired,
    TooManyAttempts,
)
from graphql_schema.context import Context
from graphql_schema.errors import formatted
from graphql_schema.schema import Schema

# Strawberry repeats an id in the reason of a close frame, which has at most 123 bytes (RFC 6455
# section 5.5).
MAX_ID_LENGTH = 64

# Operations of a socket that run or send their result: as many as a browser has connections over
# HTTP/1.1. Others wait, so that a client that does not read gets no more work done.
MAX_RUNNING_OPERATIONS = 6

# Running and waiting. A page that loads sends some dozens at once.
MAX_OPERATIONS = 100

# The close codes of graphql-transport-ws. Clients of graphql-ws connect again after the second one
# only.
UNAUTHORIZED = 4401
FORBIDDEN = 4403

# The key of the scope of a WebSocket.
LIMITED_SOCKET = "gatehouse.limited_socket"

# How a disconnected client shows, depending on when it disconnected.
_DISCONNECTED = (WebSocketDisconnect, WebSocketDisconnected, CannotSend)


class SocketApplication(GraphQL[Context, None]):
    """Strawberry's application, with what its handlers need."""

    schema: Schema
    observers: RequestObservers
    scheduler: FairScheduler


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    view: SocketApplication
    _slot: AsyncExitStack

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._numbers = count(1)
        self._running = asyncio.Semaphore(MAX_RUNNING_OPERATIONS)
        self._streams: set[Operation[Context, None]] = set()
        self._websocket: WebSocket = options["websocket"].ws
        self._socket: LimitedSocket = self._websocket.scope[LIMITED_SOCKET]

    async def handle_message(self, message: Message) -> None:
        if _is_well_formed(message):
            await super().handle_message(message)
        else:
            await self.handle_invalid_message("This is not a message of graphql-transport-ws.")
        # Strawberry refers to it until the next one.
        if isinstance(message, dict):
            cast("dict[str, Any]", message).clear()

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
            raise InvalidInput(NO_QUERY)
        return text

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        async with AsyncExitStack() as slot:
            await slot.enter_async_context(self._running)
            await self._socket.wait_until_read()
            await self._observe(operation, slot)

    async def _observe(self, operation: Operation[Context, None], slot: AsyncExitStack) -> None:
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
        alone._slot = slot
        network = self.context.device.network
        alone.context = record.context = replace(
            self.context,
            request_id=record.request_id,
            connection=self._socket,
            in_turn=partial(self.view.scheduler.run_event, network),
        )
        with self.view.observers.observe(record), suppress(*_DISCONNECTED):
            work = super(Handler, alone).run_operation(operation)
            try:
                await self.view.scheduler.run(network, work)
            except Overloaded as error:
                await alone._refuse_begun(operation, error)
            record.status = 200

    async def send_message(self, message: Message) -> None:
        """Send a message. Raises QueryTooCostly or Overloaded if it is too large a result."""
        context = current().context
        text = await to_json_within(context.response, message) if context else to_json(message)
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
            if self.context.is_subscription:
                await self._send_events(operation, result_source)
            else:
                await super()._send_result_stream(operation, result_source)
        except DomainError as error:
            # Without its traceback, which keeps the result in memory.
            refused = error.with_traceback(None)
        if refused:
            await self._refuse_begun(operation, refused)

    async def _send_events(
        self, operation: Operation[Context, None], results: StreamResult
    ) -> None:
        """Send the results of a subscription. While it waits for events, others run."""
        # Nothing that its client sent stays for as long as the subscription.
        operation.query, operation.variables = "", None
        await self._slot.aclose()
        self.view.scheduler.end_turn()
        record = current()
        record.status, record.events = 200, 0
        self._streams.add(operation)
        try:
            with self._socket.kept_open():
                async for result in results:
                    assert isinstance(result, ExecutionResult)  # nothing is deferred
                    if isinstance(result, PreExecutionError):
                        await self._end_stream(operation, result.errors or [])
                        return
                    await operation.send_next(result)
                    record.events += 1
        finally:
            self._streams.discard(operation)

    async def _end_stream(
        self, operation: Operation[Context, None], errors: list[GraphQLError]
    ) -> None:
        reason = errors[0].original_error
        if isinstance(reason, SessionEnded):
            await self._end_session(errors)
        elif isinstance(reason, TokenExpired) and len(self._streams) == 1:
            # graphql-ws connects again, with a new token. Other subscriptions would be lost.
            operation.completed = True
            await self._websocket.close(FORBIDDEN, "The access token has expired.")
        else:
            await operation.send_initial_errors(errors)

    async def _end_session(self, errors: list[GraphQLError]) -> None:
        """End all subscriptions of the socket, and the socket. All have the same session."""
        self._socket.cut_off_soon()
        for stream in tuple(self._streams):
            await stream.send_initial_errors(errors)
        await self._websocket.close(UNAUTHORIZED, "The session has ended.")

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
        failure = formatted(error, request_id=current().request_id)
        await self.send_message({"id": id, "type": "error", "payload": [failure]})


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
