"""Errors as HTTP responses, in the format of RFC 6749 section 5.2, which `/token` requires and all
routes share."""

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from api.dependencies import bearer_token
from api.telemetry.request import current
from domain.errors import DomainError, ErrorCode, TooManyAttempts, to_domain_error

RETRY_AFTER_SECONDS = 1

# The status, and the `error` of RFC 6749 or RFC 6750.
_RESPONSES: Mapping[ErrorCode, tuple[int, str]] = {
    ErrorCode.UNAUTHENTICATED: (401, "invalid_token"),
    ErrorCode.TOKEN_EXPIRED: (401, "invalid_token"),
    ErrorCode.FORBIDDEN: (403, "access_denied"),
    ErrorCode.SECOND_FACTOR_SETUP_REQUIRED: (403, "access_denied"),
    ErrorCode.NOT_CONFIGURED: (404, "invalid_request"),
    ErrorCode.INVALID_CREDENTIALS: (400, "invalid_grant"),
    ErrorCode.INVALID_CODE: (400, "invalid_grant"),
    ErrorCode.ACCOUNT_DISABLED: (400, "invalid_grant"),
    ErrorCode.PASSWORD_RESET_REQUIRED: (400, "invalid_grant"),
    ErrorCode.TOO_MANY_ATTEMPTS: (429, "temporarily_unavailable"),
    ErrorCode.OVERLOADED: (503, "temporarily_unavailable"),
    ErrorCode.UNAVAILABLE: (503, "temporarily_unavailable"),
    ErrorCode.INTERNAL_ERROR: (500, "server_error"),
}


class OAuthError(BaseModel):
    """An error (RFC 6749 section 5.2)."""

    error: str = Field(description="The error code.", examples=["invalid_grant"])
    error_description: str = Field(description="A message for people.")


def oauth_error(
    error: str,
    description: str,
    *,
    status: int = 400,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> JSONResponse:
    """Return an error. ``more`` are members of it that only some errors have."""
    current().codes = (error,)
    body = OAuthError(error=error, error_description=description).model_dump()
    return JSONResponse({**body, **(more or {})}, status_code=status, headers=headers)


def error_response(scope: Scope, error: Exception) -> Response:
    """Return the response to a request that failed with any error, in the format of its route."""
    respond = scope["state"].get("on_error", on_error)
    response: Response = respond(Request(scope), error, request_id=scope["state"]["request_id"])
    return response


def on_error(request: Request, error: Exception, *, request_id: str) -> JSONResponse:
    """Respond in the format of OAuth2, the default."""
    domain_error = to_domain_error(error, request_id=request_id)
    status, name = _RESPONSES.get(domain_error.code, (400, "invalid_request"))
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = _challenge(request, name, domain_error)
    if status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(domain_error, TooManyAttempts):
        headers["Retry-After"] = str(domain_error.retry_after)
    response = oauth_error(name, domain_error.message, status=status, headers=headers)
    # Gatehouse's own code is more specific than OAuth2's.
    current().codes = (domain_error.code,)
    return response


async def on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """Respond to errors of the framework, 404 and 405, and to those of its kind, 413 and 415."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    description = f"{phrase}." if error.detail == phrase else error.detail
    return oauth_error(
        "invalid_request", description, status=error.status_code, headers=error.headers
    )


def _challenge(request: Request, error: str, domain_error: DomainError) -> str:
    challenge = 'Bearer realm="gatehouse"'
    # Without a token the challenge has no error (RFC 6750 section 3.1).
    if bearer_token(request) is None:
        return challenge
    return f'{challenge}, error="{error}", error_description="{domain_error.message}"'
