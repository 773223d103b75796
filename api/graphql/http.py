"""The /graphql mount: GraphQL over HTTP, beside WebSockets and the explorer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
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
from api.dependencies import graphql_context
from api.graphql.websocket import WebSockets, problem_in
from api.negotiation import GRAPHQL_RESPONSE, JSON, media_type, negotiate
from api.telemetry.request import Watch, current
from domain.errors import ErrorCode, refusal_for
from graphql_schema.errors import NO_SUCH_OPERATION
from graphql_schema.schema import Schema

# What the current draft recommends for an answer with both data and errors.
PARTIAL_SUCCESS = 294

# Of an answer without data; all others are 400.
_STATUSES = {ErrorCode.INTERNAL_ERROR: 500, ErrorCode.UNAVAILABLE: 503}

# urql sends queries by GET. A mutation by GET could be made by a link.
ALLOWED_BY = {"GET": [OperationType.QUERY], "POST": [OperationType.QUERY, OperationType.MUTATION]}


@dataclass(slots=True)
class Refusal(Exception):
    """A request that the graph never sees."""

    status: int
    message: str
    code: ErrorCode = ErrorCode.INVALID_INPUT
    allow: str | None = None


class GraphQLApp:
    """An ASGI application that answers every request, however malformed.

    Neither FastAPI's router nor Strawberry's view is in between: both do much for a request, and nothing for the graph.
    """

    def __init__(
        self, schema: Schema, watch: Watch, *, graphiql: bool, allowed_origins: tuple[str, ...]
    ) -> None:
        self._schema = schema
        self._sockets = WebSockets(schema, watch, allowed_origins=allowed_origins)
        self._page = pages.explorer() if graphiql else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._sockets(scope, receive, send)
            return
        request = Request(scope, receive)
        # What is left for the envelope to tell, it tells in our words.
        scope["state"]["on_error"] = _on_error
        try:
            response = await self._respond(request)
        except Refusal as refusal:
            response = _error(request, refusal)
        except HTTPException as refused:
            phrase = HTTPStatus(refused.status_code).phrase
            response = _error(request, Refusal(refused.status_code, f"{phrase}."))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.method not in ALLOWED_BY:
            raise Refusal(405, "GraphQL only supports GET and POST requests.", allow="GET, POST")
        if _is_for_a_page(request):
            if self._page is None:
                raise Refusal(404, "Not Found")
            return self._page.response()
        accepted = negotiate(request.headers.get("accept"))
        if accepted is None:
            raise Refusal(406, f"Accept {GRAPHQL_RESPONSE} or {JSON}.")
        parameters = await _parameters(request)
        if problem := problem_in(parameters):
            raise Refusal(400, problem)
        answer = _answer(await self._execute(request, parameters, accepted))
        return Response(
            json.dumps(answer, separators=(",", ":")),
            status_code=_status(answer, accepted),
            media_type=accepted,
        )

    async def _execute(
        self, request: Request, parameters: Mapping[str, Any], accepted: str
    ) -> ExecutionResult:
        context = current().context = graphql_context(request)
        try:
            return await self._schema.execute(
                parameters.get("query"),
                variable_values=parameters.get("variables"),
                context_value=context,
                operation_name=parameters.get("operationName"),
                allowed_operation_types=ALLOWED_BY[request.method],
            )
        except MissingQueryError:
            raise Refusal(400, "No GraphQL query found in the request") from None
        except InvalidOperationTypeError:
            raise Refusal(405, "Send mutations by POST.", allow="POST") from None
        except CannotGetOperationTypeError:
            # The request is well-formed, so this is an error of the graph and not of HTTP.
            status = 400 if accepted == GRAPHQL_RESPONSE else 200
            code = ErrorCode.GRAPHQL_VALIDATION_FAILED
            raise Refusal(status, NO_SUCH_OPERATION, code) from None


def _is_for_a_page(request: Request) -> bool:
    # Not `Accept: */*`, which is a program.
    return (
        request.method == "GET"
        and "text/html" in request.headers.get("accept", "")
        and "query" not in request.query_params
    )


async def _parameters(request: Request) -> dict[str, Any]:
    if request.method == "GET":
        return _in_address(request.query_params)
    if media_type(request.headers.get("content-type")) != JSON:
        raise Refusal(415, "Send the request as application/json.")
    return _json_object(await request.body())


def _in_address(params: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = dict(params)
    for name in ("variables", "extensions"):
        if found.get(name) in ("", "null"):
            del found[name]
        elif name in found:
            found[name] = _json_object(found[name])
    return found


def _json_object(text: str | bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(text.decode() if isinstance(text, bytes) else text)
    except (ValueError, RecursionError):
        # Text that is no UTF-8, numbers and nesting without end are no JSON either.
        raise Refusal(400, "Unable to parse request body as JSON") from None
    if isinstance(parsed, list):
        raise Refusal(400, "Send one operation a request: batching is off.")
    if not isinstance(parsed, dict):
        raise Refusal(400, "This must be a JSON object.")
    return parsed


def _answer(result: ExecutionResult) -> dict[str, Any]:
    """As it goes to the client. An error without a path is one of the request: nothing ran, and there is no ``data``, not
    even null."""
    errors = result.errors or ()
    answer: dict[str, Any] = {}
    if result.data is not None or not all(error.path is None for error in errors):
        answer["data"] = result.data
    if errors:
        answer["errors"] = [error.formatted for error in errors]
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def _status(answer: Mapping[str, Any], accepted: str) -> int:
    """As GraphQL over HTTP has it: `application/json` is 200 whatever happened in the graph."""
    if accepted != GRAPHQL_RESPONSE or "errors" not in answer:
        return 200
    if "data" in answer:
        return PARTIAL_SUCCESS
    return max(_STATUSES.get(error["extensions"]["code"], 400) for error in answer["errors"])


def _on_error(request: Request, error: Exception, *, request_id: str) -> Response:
    refusal = refusal_for(error, request_id=request_id)
    accepted = negotiate(request.headers.get("accept")) or JSON
    status = _STATUSES.get(refusal.code, 400) if accepted == GRAPHQL_RESPONSE else 200
    return _error(request, Refusal(status, refusal.message, refusal.code))


def _error(request: Request, refusal: Refusal) -> Response:
    current().codes = (refusal.code,)
    return JSONResponse(
        {"errors": [{"message": refusal.message, "extensions": {"code": refusal.code}}]},
        status_code=refusal.status,
        headers={"Allow": refusal.allow} if refusal.allow else None,
        media_type=negotiate(request.headers.get("accept")) or JSON,
    )
