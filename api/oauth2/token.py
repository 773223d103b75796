"""POST /token: the OAuth2 resource owner password credentials grant (RFC 6749 section 4.3), for tools and first-party
clients, and the refresh of what it gave (section 6). RFC 9700 section 2.4 retires the password grant for everything else."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from api.dependencies import client_of, services
from api.errors import OAuthError, oauth_error
from api.oauth2.forms import form_body, read_form
from domain import authentication, sessions
from domain.errors import InvalidRefreshToken
from domain.sessions import SessionOrigin, SignedIn

router = APIRouter(tags=["OAuth2"])


class TokenResponse(BaseModel):
    """A successful response (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str = Field(description="Always `bearer`.")
    expires_in: int = Field(description="Lifetime of the access token in seconds.")
    refresh_token: str = Field(description="Gets the next access token, and is good for one use.")


@router.post(
    "/token",
    summary="Get an access token for a username and a password, or for a refresh token",
    response_model=TokenResponse,
    responses={status: {"model": OAuthError} for status in (400, 429, 503)},
    openapi_extra=form_body(
        required=["grant_type"],
        properties={
            "grant_type": {"enum": ["password", "refresh_token"]},
            "username": {"description": "A username or an email, in any case."},
            "password": {"format": "password"},
            "refresh_token": {"description": "For the grant type of that name."},
        },
    ),
)
async def token(request: Request) -> Response:
    """A client may authenticate by HTTP Basic or not at all: there are no registered clients, so what it sends there
    is not looked at."""
    match await read_form(request):
        case {"grant_type": grant_type} if grant_type not in ("password", "refresh_token"):
            return oauth_error(
                "unsupported_grant_type", "The grant_type must be `password` or `refresh_token`."
            )
        case {"grant_type": _, "scope": scope} if scope.strip():
            return oauth_error("invalid_scope", "There are no scopes; leave `scope` out.")
        case {"grant_type": "password", "username": username, "password": password}:
            return _issue(request, await _log_in(request, username, password))
        case {"grant_type": "refresh_token", "refresh_token": refresh_token}:
            return await _refresh(request, refresh_token)
    return oauth_error(
        "invalid_request",
        "grant_type is required, with username and password or with refresh_token.",
    )


async def _log_in(request: Request, username: str, password: str) -> SignedIn:
    return await authentication.log_in(
        services(request).gate,
        client_of(request),
        login=username,
        password=password,
        origin=SessionOrigin.PASSWORD_GRANT,
    )


async def _refresh(request: Request, refresh_token: str) -> Response:
    try:
        signed_in = await sessions.refresh(
            services(request).gate, client_of(request), refresh_token
        )
    except InvalidRefreshToken as refusal:
        # Here it is the grant that is refused, and no access token (RFC 6749 section 5.2).
        return oauth_error("invalid_grant", refusal.message)
    return _issue(request, signed_in)


def _issue(request: Request, signed_in: SignedIn) -> Response:
    issued = services(request).tokens.issue(
        signed_in.caller, not_after=signed_in.session.expires_at
    )
    body = TokenResponse(
        access_token=issued.value,
        token_type="bearer",
        expires_in=issued.expires_in,
        refresh_token=signed_in.refresh_token.value,
    )
    # RFC 6749 section 5.1 asks for Pragma too; Cache-Control is on every answer.
    return JSONResponse(body.model_dump(), headers={"Pragma": "no-cache"})
