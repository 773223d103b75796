"""POST /token: the OAuth2 password grant (RFC 6749 section 4.3) and the refresh of its tokens
(section 6), for tools and first-party clients. For everything else the password grant is deprecated
(RFC 9700 section 2.4).
"""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from api.dependencies import device_of, services
from api.errors import OAuthError, oauth_error
from api.forms import form_body, read_form
from api.telemetry.request import current
from domain import authentication, sessions
from domain.errors import InvalidRefreshToken, SecondFactorRequired
from domain.sessions import LoginMethod, SignedIn

router = APIRouter(tags=["OAuth2"])

# RFC 6749 section 4.5: an extension grant has a URI.
SECOND_FACTOR = "urn:gatehouse:grant:second-factor"

GRANT_TYPES = ("password", "refresh_token", SECOND_FACTOR)


class TokenResponse(BaseModel):
    """A successful response (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str = Field(description="Always `bearer`.")
    expires_in: int = Field(description="The number of seconds until the access token expires.")
    refresh_token: str = Field(description="Exchange it, once, for the next access token.")

    @classmethod
    def of(cls, signed_in: SignedIn) -> "TokenResponse":
        return cls(
            access_token=signed_in.access_token.value,
            token_type="bearer",
            expires_in=signed_in.access_token.expires_in,
            refresh_token=signed_in.refresh_token.value,
        )


@router.post(
    "/token",
    summary="Get an access token with a password or a refresh token",
    response_model=TokenResponse,
    responses={status: {"model": OAuthError} for status in (400, 429, 503)},
    openapi_extra=form_body(
        required=["grant_type"],
        properties={
            "grant_type": {"enum": list(GRANT_TYPES)},
            "username": {
                "description": "The username or the email, in any case. Blanks around it are ignored."
            },
            "password": {"format": "password"},
            "refresh_token": {"description": "For the grant type `refresh_token`."},
            "mfa_token": {
                "description": f"For the grant type `{SECOND_FACTOR}`: from the error `mfa_required`."
            },
            "otp": {
                "description": "A code of the authenticator app or a recovery code, with `mfa_token`, or with the"
                " grant type `password`."
            },
        },
    ),
)
async def token(request: Request) -> Response:
    """Issue an access token and a refresh token. There are no registered clients, so client
    authentication is ignored."""
    match await read_form(request):
        case {"grant_type": grant_type} if grant_type not in GRANT_TYPES:
            return oauth_error(
                "unsupported_grant_type",
                f"The grant_type must be one of {', '.join(GRANT_TYPES)}.",
            )
        case {"grant_type": _, "scope": scope} if scope.strip():
            return oauth_error("invalid_scope", "Scopes are not supported. Leave `scope` out.")
        case {"grant_type": "password", "username": username, "password": password, **others}:
            return await _log_in(request, username, password, others.get("otp"))
        case {"grant_type": grant_type, "mfa_token": mfa_token, "otp": otp} if (
            grant_type == SECOND_FACTOR
        ):
            return _respond(await _pass_second_factor(request, mfa_token, otp))
        case {"grant_type": "refresh_token", "refresh_token": refresh_token}:
            return await _refresh(request, refresh_token)
    return oauth_error(
        "invalid_request",
        "grant_type is required, with username and password, with refresh_token, or with mfa_token and otp.",
    )


async def _log_in(request: Request, username: str, password: str, otp: str | None) -> Response:
    try:
        signed_in = await authentication.log_in(
            services(request),
            device_of(request),
            login=username,
            password=password,
            method=LoginMethod.PASSWORD_GRANT,
        )
    except SecondFactorRequired as error:
        if otp is None:
            return _mfa_required(error)
        signed_in = await _pass_second_factor(request, error.challenge.ticket, otp)
    return _respond(signed_in)


async def _pass_second_factor(request: Request, mfa_token: str, otp: str) -> SignedIn:
    return await authentication.pass_second_factor(
        services(request), device_of(request), ticket=mfa_token, code=otp
    )


def _mfa_required(error: SecondFactorRequired) -> Response:
    response = oauth_error(
        "mfa_required", error.message, more={"mfa_token": error.challenge.ticket}
    )
    current().codes = (error.code,)
    return response


async def _refresh(request: Request, refresh_token: str) -> Response:
    try:
        signed_in = await sessions.refresh(services(request), device_of(request), refresh_token)
    except InvalidRefreshToken as error:
        # At this endpoint the grant is invalid, not an access token (RFC 6749 section 5.2).
        return oauth_error("invalid_grant", error.message)
    return _respond(signed_in)


def _respond(signed_in: SignedIn) -> Response:
    # RFC 6749 section 5.1 requires Pragma too. Every response has Cache-Control.
    return JSONResponse(TokenResponse.of(signed_in).model_dump(), headers={"Pragma": "no-cache"})
