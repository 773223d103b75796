"""The application at /graphql: GraphQL over HTTP, WebSockets and the explorer."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import (
    CannotGetOperationTypeError,
    InvalidOperationTypeError,
)
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from api import pages
from api.cookies import SessionCookies
from api.dependencies import graphql_context
from api.fair_scheduler import FairScheduler
from api.graphql.event_stream import EventStream
from api.graphql.json_input import NO_QUERY, TooComplex, parse, problem_in
from api.graphql.json_output import MAX_SMALL_BYTES, response_of, to_json_within
from api.graphql.socket_limits import RETRY_AFTER_SECONDS, SocketLimits, TooManySockets
from api.graphql.websocket import WebSockets
from api.headers import header_of
from api.negotiation import (
    EVENT_STREAM,
    GRAPHQL_RESPONSE,
    JSON,
    accepts_events,
    media_type,
    negotiate,
)
from api.parameters import decode
from api.telemetry.observers import RequestObservers
from api.telemetry.request import current
from domain.errors import DomainError, ErrorCode, to_domain_error
from graphql_schema.browser_session import BrowserSession
from graphql_schema.context import Context
from graphql_schema.errors import NO_SUCH_OPERATION
from graphql_schema.schema import Schema

# The status that the current draft recommends for a response with data and errors.
PARTIAL_SUCCESS = 294

# For other servers than `gatehouse serve`, which gives up earlier.
MAX_SENDING_TIME = timedelta(minutes=1)

# For a response without data. All other codes are 400.
_STATUSES = {ErrorCode.INTERNAL_ERROR: 500, ErrorCode.UNAVAILABLE: 503}

# The header with the token of a captcha.
CAPTCHA_HEADER = "X-Captcha-Token"

# urql sends queries by GET. A link could send a mutation by GET. Subscriptions have responses of
# their own.
ALLOWED_BY = {
    "GET": [OperationType.QUERY],
    "POST": [OperationType.QUERY, OperationType.MUTATION],
}

# A mutation may set a cookie, and this response begins before it is executed.
ALLOWED_IN_EVENT_STREAM = [OperationType.QUERY, OperationType.SUBSCRIPTION]


@dataclass(slots=True)
class RequestError(Exception):
    """A request error (GraphQL specification, "Response"): the graph never runs."""

    status: int
    message: str
    code: ErrorCode = ErrorCode.INVALID_INPUT
    allow: str | None = None
    retry_after: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        found = {"Allow": self.allow, "Retry-After": self.retry_after}
        return {name: str(value) for name, value in found.items() if value}


class LargeResponse(Response):
    """A response that is under way until its client has read it, or has taken too long."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_SENDING_TIME.total_seconds()):
                await send({**start, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": self.body, "more_body": True})
                # The server accepts the end when the client has read nearly all of it.
                await send({"type": "http.response.body"})


class GraphQLApp:
    """An ASGI application that responds to every request, however malformed.

    It uses neither FastAPI's router nor Strawberry's view, which do much for each request and
    nothing for the graph.
    """

    def __init__(
        self,
        schema: Schema,
        observers: RequestObservers,
        *,
        scheduler: FairScheduler,
        cookies: SessionCookies,
        graphiql: bool,
        allowed_origins: tuple[str, ...],
        socket_limits: SocketLimits,
    ) -> None:
        self._schema = schema
        self._cookies = cookies
        self._scheduler = scheduler
        self._socket_limits = socket_limits
        self._sockets = WebSockets(
            schema,
            observers,
            scheduler=scheduler,
            allowed_origins=allowed_origins,
            limits=socket_limits,
        )
        self._page = pages.explorer() if graphiql else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._sockets(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self._respond_to_all(request)
            self._set_cookie(request, response)
            # An event stream must not keep the body of its request.
            del request
            await response(scope, receive, send)
        finally:
            if context := current().context:
                context.release()

    async def _respond_to_all(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except RequestError as error:
            return _error(request, error)
        except HTTPException as error:
            phrase = HTTPStatus(error.status_code).phrase
            return _error(request, RequestError(error.status_code, f"{phrase}."))
        except DomainError as error:
            return on_error(request, error, request_id=current().request_id)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ALLOWED_BY:
            raise RequestError(
                405, "GraphQL only supports GET and POST requests.", allow="GET, POST"
            )
        if _asks_for_page(request):
            if self._page is None:
                raise RequestError(404, "Not Found")
            return self._page.response()
        accepted = negotiate(header_of(request.scope, b"accept"))
        if accepted is None and not _takes_events(request):
            raise RequestError(406, f"Accept {GRAPHQL_RESPONSE} or {JSON}.")
        parameters = await _parameters(request)
        if problem := problem_in(parameters):
            raise RequestError(400, problem)
        context = current().context = graphql_context(request)
        if request.method == "POST":
            context.browser_session = self._browser_session(request)
            context.captcha_token = header_of(request.scope, CAPTCHA_HEADER.lower().encode())
        try:
            if accepted is None:
                return await self._event_stream(context, parameters)
            return await self._result(request, context, parameters, accepted)
        except InvalidOperationTypeError:
            if context.is_subscription and _takes_events(request):
                return await self._event_stream(context, parameters)
            raise _not_allowed(request, context) from None

    async def _result(
        self, request: Request, context: Context, parameters: Mapping[str, Any], accepted: str
    ) -> Response:
        result = await self._execute(request, context, parameters, accepted)
        response = response_of(result)
        body = await to_json_within(context.response, response)
        kind = Response if len(body) <= MAX_SMALL_BYTES else LargeResponse
        return kind(body, _status(response, accepted), media_type=accepted)

    async def _event_stream(self, context: Context, parameters: Mapping[str, Any]) -> Response:
        text = self._schema.trusted_documents.text_of(parameters)
        if not text:
            raise RequestError(400, NO_QUERY)
        results: Any = await self._schema.stream(
            text,
            variable_values=parameters.get("variables"),
            context_value=context,
            operation_name=parameters.get("operationName"),
            allowed_operation_types=ALLOWED_IN_EVENT_STREAM,
        )
        place = ExitStack()
        try:
            place.enter_context(self._socket_limits.opening(context.device.network))
        except TooManySockets as error:
            raise RequestError(
                error.status, str(error), error.error.code, retry_after=RETRY_AFTER_SECONDS
            ) from None
        stream = EventStream(results, context, place)
        context.connection = stream
        context.in_turn = partial(self._scheduler.run_event, context.device.network)
        return stream

    def _browser_session(self, request: Request) -> BrowserSession | None:
        try:
            return self._cookies.read(request)
        except ValueError as error:
            raise RequestError(400, str(error)) from None

    def _set_cookie(self, request: Request, response: Response) -> None:
        """Set the cookie on any response, errors included: the refresh token that it held may be
        used."""
        context = current().context
        if context and (browser := context.browser_session) and browser.is_changed:
            response.headers["Set-Cookie"] = self._cookies.header(request, browser)

    async def _execute(
        self,
        request: Request,
        context: Context,
        parameters: Mapping[str, Any],
        accepted: str,
    ) -> ExecutionResult:
        try:
            return await self._schema.execute(
                self._schema.trusted_documents.text_of(parameters),
                variable_values=parameters.get("variables"),
                context_value=context,
                operation_name=parameters.get("operationName"),
                allowed_operation_types=ALLOWED_BY[request.method],
                operation_extensions=parameters.get("extensions"),
            )
        except MissingQueryError:
            raise RequestError(400, NO_QUERY) from None
        except CannotGetOperationTypeError:
            # The request is well-formed, so this is an error of the graph and not of HTTP.
            status = 400 if accepted == GRAPHQL_RESPONSE else 200
            code = ErrorCode.GRAPHQL_VALIDATION_FAILED
            raise RequestError(status, NO_SUCH_OPERATION, code) from None


def _asks_for_page(request: Request) -> bool:
    # Programs send `Accept: */*`.
    return (
        request.method == "GET"
        and "text/html" in (header_of(request.scope, b"accept") or "")
        and not {"query", "documentId", "extensions"} & _query_parameters(request).keys()
    )


def _takes_events(request: Request) -> bool:
    return request.method == "POST" and accepts_events(header_of(request.scope, b"accept"))


def _not_allowed(request: Request, context: Context) -> RequestError:
    if request.method == "GET":
        others = (
            "subscriptions by POST or over a WebSocket"
            if context.is_subscription
            else "mutations by POST"
        )
        return RequestError(405, f"Send {others}.", allow="POST")
    if context.is_subscription:
        return RequestError(406, f"Accept {EVENT_STREAM}, or send subscriptions over a WebSocket.")
    return RequestError(406, f"Accept {GRAPHQL_RESPONSE} or {JSON} for mutations.")


async def _parameters(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return _query_parameters(request)
    if media_type(header_of(request.scope, b"content-type")) != JSON:
        raise RequestError(415, "Send the request as application/json.")
    return _json_object(await _body_of(request))


async def _body_of(request: Request) -> bytes:
    """Return the body, which usually comes in one message. Raises ClientDisconnect.

    (`Request.body` takes four times as long.)
    """
    parts = []
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _query_parameters(request: Request) -> dict[str, Any]:
    """Return the parameters that have a value. Generic clients send all four."""
    try:
        decoded = decode(request.scope["query_string"])
    except ValueError as error:
        raise RequestError(400, str(error)) from None
    found: dict[str, Any] = {name: value for name, value in decoded if value}
    for name in ("variables", "extensions"):
        if found.get(name) == "null":
            del found[name]
        elif name in found:
            found[name] = _json_object(found[name])
    return found


def _json_object(text: str | bytes) -> dict[str, Any]:
    try:
        parsed = parse(text.decode() if isinstance(text, bytes) else text)
    except TooComplex as error:
        raise RequestError(400, str(error)) from None
    except (ValueError, RecursionError):
        # Invalid UTF-8, endless numbers and endless nesting are not JSON either.
        raise RequestError(400, "Unable to parse request body as JSON") from None
    if isinstance(parsed, list):
        raise RequestError(400, "Send one operation per request: batching is not supported.")
    if not isinstance(parsed, dict):
        raise RequestError(400, "The request body must be a JSON object.")
    return parsed


def _status(response: Mapping[str, Any], accepted: str) -> int:
    """Return the status (GraphQL over HTTP): `application/json` is 200 whatever happened in the
    graph."""
    if accepted != GRAPHQL_RESPONSE or "errors" not in response:
        return 200
    if "data" in response:
        return PARTIAL_SUCCESS
    return max(_STATUSES.get(error["extensions"]["code"], 400) for error in response["errors"])


def on_error(request: Request, error: Exception, *, request_id: str) -> Response:
    error = to_domain_error(error, request_id=request_id)
    accepted = negotiate(header_of(request.scope, b"accept"))
    status = 200 if accepted == JSON else _STATUSES.get(error.code, 400)
    return _error(request, RequestError(status, error.message, error.code))


def _error(request: Request, error: RequestError) -> Response:
    current().codes = (error.code,)
    return JSONResponse(
        {"errors": [{"message": error.message, "extensions": {"code": error.code}}]},
        status_code=error.status,
        headers=error.headers,
        media_type=negotiate(header_of(request.scope, b"accept")) or JSON,
    )
