"""GraphQL over HTTP and WebSockets: the context getter and the /graphql mount."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import cross_web
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.schema.exceptions import (
    CannotGetOperationTypeError,
    InvalidOperationTypeError,
)
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.unset import UNSET, UnsetType

from api import browser_pages
from api.dependencies import bearer_token, client_of, request_id, services, token_in
from api.negotiation import GRAPHQL_RESPONSE, JSON, media_type, negotiate
from api.websocket import Handler, problem_in
from domain.errors import ErrorCode
from graphql_schema.context import Context
from graphql_schema.errors import NO_SUCH_OPERATION
from graphql_schema.schema import Schema

# What the current draft recommends for an answer with both data and errors.
PARTIAL_SUCCESS = 294


class GraphQLApp(GraphQL[Context, None]):
    """Strawberry's ASGI application with every option chosen, and with no request that it cannot answer.

    Mounted without FastAPI's router in between, which does nothing for the graph and costs every request.
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
        self._page = browser_pages.explorer(otherwise=self.graphql_ide_html) if graphiql else None

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        found = services(request)
        return Context(
            gate=found.gate,
            tokens=found.tokens,
            client=client_of(request),
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

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        # Strawberry would also show the page to `Accept: */*`, which is a program.
        return (
            request.method == "GET"
            and "query" not in request.query_params
            and "text/html" in request.headers.get("accept", "")
        )

    async def render_graphql_ide(self, request: Request) -> Response:
        assert self._page is not None  # or it would not be asked for
        return self._page.response()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self.run(request)
        except cross_web.HTTPException as refused:
            response = _refuse(request, refused)
        except HTTPException as refused:
            phrase = HTTPStatus(refused.status_code).phrase
            response = _error(request, refused.status_code, f"{phrase}.")
        await response(scope, receive, send)

    async def parse_http_body(
        self, request: cross_web.AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData:
        if negotiate(request.headers.get("accept")) is None:
            raise cross_web.HTTPException(406, f"Accept {GRAPHQL_RESPONSE} or {JSON}.")
        if request.method == "GET":
            data = self._from_address(request.query_params)
        elif media_type(request.content_type) != JSON:
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

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        response = await super().process_result(request, result)
        # An error without a path is one of the request: nothing ran, and there is no `data`, not even null.
        if result.data is None and all(error.path is None for error in result.errors or ()):
            response.pop("data", None)
        return response

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        response = await super().get_sub_response(request)
        response.media_type = negotiate(request.headers.get("accept"))
        return response

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        assert not isinstance(response_data, list)  # batching is off
        return Response(
            self.encode_json(response_data),
            status_code=_status(response_data, sub_response.media_type),
            media_type=sub_response.media_type,
        )


def _status(response: GraphQLHTTPResponse, media_type: str | None) -> int:
    """As GraphQL over HTTP has it: `application/json` is 200 whatever happened in the graph."""
    if media_type != GRAPHQL_RESPONSE or "errors" not in response:
        return 200
    if "data" in response:
        return PARTIAL_SUCCESS
    errors = cast("list[dict[str, Any]]", response["errors"] or [])
    is_ours = any(error["extensions"]["code"] == ErrorCode.INTERNAL_ERROR for error in errors)
    return 500 if is_ours else 400


def _refuse(request: Request, refused: cross_web.HTTPException) -> Response:
    if isinstance(refused.__cause__, InvalidOperationTypeError):
        return _error(request, 405, "Send mutations by POST.", allow="POST")
    if isinstance(refused.__cause__, CannotGetOperationTypeError):
        # The request is well-formed, so this is an error of the graph and not of HTTP.
        strict = negotiate(request.headers.get("accept")) == GRAPHQL_RESPONSE
        code = ErrorCode.GRAPHQL_VALIDATION_FAILED
        return _error(request, 400 if strict else 200, NO_SUCH_OPERATION, code=code)
    if refused.status_code == 405:
        return _error(request, 405, refused.reason, allow="GET, POST")
    return _error(request, refused.status_code, refused.reason)


def _error(
    request: Request,
    status: int,
    message: str,
    *,
    code: ErrorCode = ErrorCode.INVALID_INPUT,
    allow: str | None = None,
) -> Response:
    return JSONResponse(
        {"errors": [{"message": message, "extensions": {"code": code}}]},
        status_code=status,
        headers={"Allow": allow} if allow else None,
        media_type=negotiate(request.headers.get("accept")) or JSON,
    )
