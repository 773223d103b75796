"""A refusal as an HTTP answer, in the shape of RFC 6749 section 5.2, which `/token` must have and all routes share."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from api.dependencies import bearer_token
from api.telemetry.request import current
from domain.errors import DomainError, ErrorCode, TooManyAttempts, refusal_for

RETRY_AFTER_SECONDS = 1

# The status, and `error` as RFC 6749 and RFC 6750 name it.
_ANSWERS: Mapping[ErrorCode, tuple[int, str]] = {
    ErrorCode.UNAUTHENTICATED: (401, "invalid_token"),
    ErrorCode.TOKEN_EXPIRED: (401, "invalid_token"),
    ErrorCode.INVALID_CREDENTIALS: (400, "invalid_grant"),
    ErrorCode.TOO_MANY_ATTEMPTS: (429, "temporarily_unavailable"),
    ErrorCode.OVERLOADED: (503, "temporarily_unavailable"),
    ErrorCode.UNAVAILABLE: (503, "temporarily_unavailable"),
    ErrorCode.INTERNAL_ERROR: (500, "server_error"),
}


class OAuthError(BaseModel):
    """Why a request was refused (RFC 6749 section 5.2)."""

    error: str = Field(description="A code for programs.", examples=["invalid_grant"])
    error_description: str = Field(description="A sentence for people.")


def oauth_error(
    error: str,
    description: str,
    *,
    status: int = 400,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    current().codes = (error,)
    body = OAuthError(error=error, error_description=description)
    return JSONResponse(body.model_dump(), status_code=status, headers=headers)


def answer_to(scope: Scope, error: Exception) -> Response:
    """The answer to a request that ended in any error at all, in the words of what it asked for."""
    tell = scope["state"].get("on_error", on_error)
    answer: Response = tell(Request(scope), error, request_id=scope["state"]["request_id"])
    return answer


def on_error(request: Request, error: Exception, *, request_id: str) -> JSONResponse:
    """In those of OAuth2, where nothing has others."""
    refusal = refusal_for(error, request_id=request_id)
    status, name = _ANSWERS.get(refusal.code, (400, "invalid_request"))
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = _challenge(request, name, refusal)
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(refusal, TooManyAttempts):
        headers["Retry-After"] = str(refusal.retry_after)
    answer = oauth_error(name, refusal.message, status=status, headers=headers)
    # The house's own code says more than OAuth2's.
    current().codes = (refusal.code,)
    return answer


async def on_http_exception(request: Request, refused: Exception) -> JSONResponse:
    """No such path (404), not by this method (405), too large (413): what the framework refuses by itself."""
    assert isinstance(refused, HTTPException)
    phrase = HTTPStatus(refused.status_code).phrase
    return oauth_error(
        "invalid_request", f"{phrase}.", status=refused.status_code, headers=refused.headers
    )


def _challenge(request: Request, error: str, refusal: DomainError) -> str:
    challenge = 'Bearer realm="gatehouse"'
    # RFC 6750 section 3.1: a caller who sent no token is told what to send, and of no error.
    if bearer_token(request) is None:
        return challenge
    return f'{challenge}, error="{error}", error_description="{refusal.message}"'
