"""POST /revoke: token revocation (RFC 7009)."""

from contextlib import suppress

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import device_of, services
from api.errors import OAuthError
from api.forms import TOKEN_FORM, read_token
from domain import sessions
from domain.errors import Unauthenticated
from domain.sessions.refresh_tokens import RefreshToken

router = APIRouter(tags=["OAuth2"])


@router.post(
    "/revoke",
    summary="Revoke a token, which ends its session",
    status_code=200,
    response_class=Response,
    responses={status: {"model": OAuthError} for status in (400, 503)},
    openapi_extra=TOKEN_FORM,
)
async def revoke(request: Request) -> Response:
    """End the session of an access token or a refresh token, and with it all of its tokens. An
    invalid token is not an error, since a client could not do anything about it (section 2.2)."""
    text = await read_token(request)
    device = device_of(request)
    refresh_token = RefreshToken.parse(text)
    with suppress(Unauthenticated):
        caller = None if refresh_token else services(request).access_tokens.read(text).caller
        await sessions.log_out(services(request), device, caller, refresh_token)
    return Response()
