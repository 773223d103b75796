"""GraphQL over WebSockets."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET, UnsetType

from api.dependencies import graphql_context, token_in
from api.fair_scheduler import FairScheduler
from api.graphql.json_input import parse
from api.graphql.limited_socket import LimitedSocket
from api.graphql.socket_handler import LIMITED_SOCKET, Handler, SocketApplication
from api.graphql.socket_limits import RETRY_AFTER_SECONDS, SocketLimits, TooManySockets
from api.telemetry.observers import RequestObservers
from api.telemetry.request import current
from domain.access_tokens.tokens import MAX_LENGTH as MAX_TOKEN_LENGTH
from domain.devices import network_of
from graphql_schema.context import Context
from graphql_schema.schema import Schema

# As for a request (REQUEST_TIMEOUT of server/protocol.py).
CONNECTION_INIT_TIMEOUT = timedelta(seconds=10)


class WebSockets(SocketApplication):
    """Strawberry's ASGI application, used for WebSockets only."""

    graphql_transport_ws_handler_class = Handler

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
