"""POST /token: the OAuth2 resource owner password credentials grant (RFC 6749 section 4.3), for tools and first-party
clients. RFC 9700 section 2.4 retires it for everything else."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from api.dependencies import services
from api.errors import OAuthError, oauth_error
from api.negotiation import media_type
from domain import accounts

router = APIRouter(tags=["OAuth2"])

FORM = "application/x-www-form-urlencoded"

# The form has seven parameters at most (RFC 6749 sections 2.3.1 and 4.3.2).
MAX_FIELDS = 20


class AccessTokenResponse(BaseModel):
    """A successful response (RFC 6749 section 5.1)."""

    access_token: str
    token_type: str = Field(description="Always `bearer`.")
    expires_in: int = Field(description="Lifetime in seconds.")


_FORM_SCHEMA = {
    "type": "object",
    "required": ["grant_type", "username", "password"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["password"]},
        "username": {"type": "string", "description": "A username or an email, in any case."},
        "password": {"type": "string", "format": "password"},
    },
}


@router.post(
    "/token",
    summary="Get an access token for a username and a password",
    response_model=AccessTokenResponse,
    responses={400: {"model": OAuthError}, 503: {"model": OAuthError}},
    openapi_extra={"requestBody": {"required": True, "content": {FORM: {"schema": _FORM_SCHEMA}}}},
)
async def token(request: Request) -> Response:
    """A client may authenticate by HTTP Basic or not at all: there are no registered clients, so what it sends there
    is not looked at."""
    if media_type(request.headers.get("content-type")) != FORM:
        return oauth_error("invalid_request", f"Send the parameters as {FORM}.")
    async with request.form(max_fields=MAX_FIELDS) as form:
        parameters = form.multi_items()
    # RFC 6749 section 3.2: no parameter twice, and one without a value counts as left out.
    if len({name for name, _ in parameters}) < len(parameters):
        return oauth_error("invalid_request", "A parameter is there more than once.")
    given = {name: value for name, value in parameters if isinstance(value, str) and value}
    match given:
        case {"grant_type": grant_type} if grant_type != "password":
            return oauth_error("unsupported_grant_type", "The grant_type must be `password`.")
        case {"scope": scope} if scope.strip():
            return oauth_error("invalid_scope", "There are no scopes; leave `scope` out.")
        case {"grant_type": _, "username": username, "password": password}:
            return await _grant(request, username, password)
    return oauth_error("invalid_request", "grant_type, username and password are required.")


async def _grant(request: Request, username: str, password: str) -> Response:
    found = services(request)
    user = await accounts.authenticate(
        found.database, found.passwords, login=username, password=password
    )
    issued = found.tokens.issue(user.id)
    body = AccessTokenResponse(
        access_token=issued.value, token_type="bearer", expires_in=issued.expires_in
    )
    # RFC 6749 section 5.1 asks for Pragma too; Cache-Control is on every answer.
    return JSONResponse(body.model_dump(), headers={"Pragma": "no-cache"})
