"""GraphQL over HTTP and WebSockets: the context getter and the /graphql mount."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import cross_web
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLRequestData
from strawberry.schema.exceptions import (
    CannotGetOperationTypeError,
    InvalidOperationTypeError,
)
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UNSET, UnsetType

from api.dependencies import bearer_token, request_id, services, token_in
from api.websocket import Handler, problem_in
from domain.errors import ErrorCode
from graphql_schema.context import Context
from graphql_schema.schema import Schema


class GraphQLApp(GraphQL[Context, None]):
    """Strawberry's ASGI application with every option chosen, and with no request that it cannot answer.

    Mounted without FastAPI's router in between, which would cost each request more than `me` does.
    """

    graphql_transport_ws_handler_class = Handler

    def __init__(self, schema: Schema, *, graphiql: bool, allowed_origins: tuple[str, ...]) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if graphiql else None,
            # urql sends queries by GET.
            allow_queries_via_get=True,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            multipart_uploads_enabled=False,
            allowed_origins=allowed_origins,
        )

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        found = services(request)
        return Context(
            sessions=found.sessions,
            passwords=found.passwords,
            tokens=found.tokens,
            bearer=bearer_token(request),
            request_id=request_id(request),
            is_socket=isinstance(request, WebSocket),
        )

    async def on_ws_connect(self, context: Context) -> UnsetType:
        """Take the token from ``connection_init``: a browser cannot set a header on a WebSocket."""
        params = context.connection_params or {}
        context.bearer = context.bearer or token_in(params.get("Authorization"))
        acknowledge: UnsetType = UNSET
        return acknowledge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self.run(request)
        except cross_web.HTTPException as refused:
            response = _refuse(refused, request)
        except HTTPException as refused:
            response = _error(refused.status_code, f"{HTTPStatus(refused.status_code).phrase}.")
        await response(scope, receive, send)

    async def parse_http_body(
        self, request: cross_web.AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData:
        if request.method == "GET":
            data = self._from_address(request.query_params)
        elif (request.content_type or "").partition(";")[0].strip().lower() != "application/json":
            raise cross_web.HTTPException(415, "Send the request as application/json.")
        else:
            data = self._json_object(await request.get_body())
        if problem := problem_in(data):
            raise cross_web.HTTPException(400, problem)
        return GraphQLRequestData(
            query=data.get("query"),
            variables=data.get("variables"),
            operation_name=data.get("operationName"),
            extensions=data.get("extensions"),
            protocol="http",
        )

    def decode_json(self, data: str | bytes) -> Any:
        """Raises JSONDecodeError for whatever cannot be decoded: text that is no UTF-8, numbers and nesting without end."""
        try:
            return json.loads(data.decode() if isinstance(data, bytes) else data)
        except (ValueError, RecursionError):
            raise json.JSONDecodeError("no JSON", "", 0) from None

    def _from_address(self, params: Mapping[str, str | list[str] | None]) -> dict[str, Any]:
        data: dict[str, Any] = dict(params)
        for name in ("variables", "extensions"):
            if data.get(name) in ("", "null"):
                del data[name]
            elif name in data:
                data[name] = self._json_object(data[name])
        return data

    def _json_object(self, data: str | bytes) -> dict[str, Any]:
        parsed = self.parse_json(data)
        if isinstance(parsed, list):
            raise cross_web.HTTPException(400, "Send one operation a request: batching is off.")
        if not isinstance(parsed, dict):
            raise cross_web.HTTPException(400, "This must be a JSON object.")
        return parsed


def _refuse(refused: cross_web.HTTPException, request: HTTPConnection) -> Response:
    if isinstance(refused.__cause__, InvalidOperationTypeError):
        return _error(405, "Send mutations by POST.", allow="POST")
    if isinstance(refused.__cause__, CannotGetOperationTypeError):
        return _error(400, "The document has no operation of that name, or none at all.")
    if refused.status_code == 405:
        return _error(405, refused.reason, allow="GET, POST")
    return _error(refused.status_code, refused.reason)


def _error(status: int, message: str, *, allow: str | None = None) -> Response:
    error = {"message": message, "extensions": {"code": ErrorCode.INVALID_INPUT}}
    headers = {"Allow": allow} if allow else None
    return JSONResponse({"errors": [error]}, status_code=status, headers=headers)
