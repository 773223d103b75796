"""POST /revoke: a client is done with a token (RFC 7009)."""

from contextlib import suppress

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import client_of, services
from api.errors import OAuthError
from api.oauth2.forms import TOKEN_FORM, read_token
from domain import sessions
from domain.errors import Unauthenticated
from domain.sessions.refresh_tokens import RefreshToken

router = APIRouter(tags=["OAuth2"])


@router.post(
    "/revoke",
    summary="End the session that a token belongs to",
    status_code=200,
    response_class=Response,
    responses={status: {"model": OAuthError} for status in (400, 503)},
    openapi_extra=TOKEN_FORM,
)
async def revoke(request: Request) -> Response:
    """Both kinds of token end the session, and with it all of its tokens. A token that is none is no error: there is
    nothing that a client could do about it (section 2.2)."""
    text = await read_token(request)
    found = services(request)
    if refresh_token := RefreshToken.parse(text):
        await sessions.revoke(found.gate.database, client_of(request), refresh_token)
        return Response()
    with suppress(Unauthenticated):
        caller = found.tokens.read(text).caller
        async with found.gate.database.writing() as session:
            await sessions.log_out(session, caller, client_of(request))
    return Response()
