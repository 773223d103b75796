"""POST /revoke: a client is done with a token (RFC 7009)."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.dependencies import client_of, services
from api.errors import OAuthError
from api.forms import form_of, read_token
from domain import sessions
from domain.errors import Unauthenticated
from domain.refresh_tokens import RefreshToken

router = APIRouter(tags=["OAuth2"])


@router.post(
    "/revoke",
    summary="End the session that a token belongs to",
    status_code=200,
    response_class=Response,
    responses={status: {"model": OAuthError} for status in (400, 503)},
    openapi_extra=form_of(
        required=["token"],
        properties={
            "token": {"description": "An access token or a refresh token."},
            "token_type_hint": {"description": "Not needed, and not looked at."},
        },
    ),
)
async def revoke(request: Request) -> Response:
    """Both kinds of token end the session, and with it all of its tokens. A token that is none is no error: there is
    nothing that a client could do about it (section 2.2)."""
    text = await read_token(request)
    found = services(request)
    try:
        token = RefreshToken.parse(text) or found.tokens.read(text).caller
    except Unauthenticated:
        return Response()
    async with found.gate.database.writing() as session:
        await sessions.revoke(session, client_of(request), token)
    return Response()
