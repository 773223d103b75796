"""POST /introspect: token introspection (RFC 7662)."""

import base64
import hmac
from urllib.parse import unquote_plus

from fastapi import APIRouter, Depends, Request
from fastapi.security.http import HTTPBase
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.dependencies import (
    AppState,
    ClientCredential,
    app_state,
    bearer_token,
    documented_bearer,
)
from api.errors import OAuthError, oauth_error
from api.forms import TOKEN_FORM, read_token
from api.oauth2.responses import json_response
from api.telemetry.request import current
from domain import sessions
from domain.access_tokens.tokens import AUDIENCE, ONE_FACTOR, TWO_FACTORS
from domain.errors import Unauthenticated
from domain.services import Services
from domain.sessions.refresh_tokens import RefreshToken

router = APIRouter(tags=["OAuth2"])

# For /docs. The code below reads the header itself.
_documented_basic = HTTPBase(scheme="basic", auto_error=False)


class Actor(BaseModel):
    sub: str = Field(description="The id of a user.")


class Introspection(BaseModel):
    """The state of a token (RFC 7662 section 2.2). An inactive token has no other members."""

    active: bool
    sub: str | None = Field(default=None, description="The id of the user.")
    username: str | None = None
    token_type: str | None = Field(default=None, description="`bearer` for an access token.")
    iss: str | None = None
    aud: str | None = None
    exp: int | None = Field(default=None, description="In seconds since 1970.")
    iat: int | None = None
    jti: str | None = None
    sid: str | None = Field(default=None, description="The id of the session.")
    auth_time: int | None = Field(
        default=None,
        description="When the user last proved who they are, in seconds since 1970 (RFC 9470).",
    )
    acr: str | None = Field(
        default=None, description=f"`{ONE_FACTOR}` or `{TWO_FACTORS}` (RFC 9470)."
    )
    amr: list[str] | None = Field(
        default=None, description="How the user proved who they are (RFC 8176)."
    )
    roles: list[str] | None = Field(
        default=None, description="The roles that the user has now (RFC 9068)."
    )
    act: Actor | None = Field(
        default=None,
        description="Who acts in place of the user (RFC 8693), if an administrator does.",
    )


INACTIVE = Introspection(active=False)


@router.post(
    "/introspect",
    summary="Introspect a token",
    response_model=Introspection,
    response_model_exclude_none=True,
    responses={status: {"model": OAuthError} for status in (400, 401, 503)},
    openapi_extra=TOKEN_FORM,
    dependencies=[Depends(documented_bearer), Depends(_documented_basic)],
)
async def introspect(request: Request) -> Response:
    """Authenticate with an active access token, or by HTTP Basic with INTROSPECTION_CLIENT_ID and
    INTROSPECTION_CLIENT_SECRET (section 2.1)."""
    state = app_state(request)
    found = state.services
    bearer = bearer_token(request)
    if bearer is None and not _is_known_client(request, state.introspection_client):
        return oauth_error(
            "invalid_client",
            "Authenticate with an access token or with the client credential.",
            status=401,
            headers={"WWW-Authenticate": 'Bearer realm="gatehouse", Basic realm="gatehouse"'},
        )
    if bearer is not None:
        await _authenticate(state, bearer)
    token = await read_token(request)
    if refresh_token := RefreshToken.parse(token):
        return json_response(await _refresh_token(found, refresh_token), exclude_none=True)
    return json_response(await _access_token(found, token), exclude_none=True)


async def _authenticate(state: AppState, bearer: str) -> None:
    """Raise Unauthenticated unless an access token is active."""
    try:
        caller = state.services.access_tokens.read(bearer).caller
        await state.current_users.load(caller)
    except Unauthenticated:
        # Whatever the reason, such as that it has expired.
        raise Unauthenticated from None
    current().user_id = str(caller.user_id)


async def _access_token(found: Services, token: str) -> Introspection:
    try:
        claims = found.access_tokens.read(token)
        async with found.database.connecting() as connection:
            owner = await sessions.owner(connection, claims.caller)
    except Unauthenticated:
        return INACTIVE
    return Introspection(
        active=True,
        sub=str(claims.caller.user_id),
        username=owner.username,
        token_type="bearer",
        iss=found.access_tokens.issuer,
        aud=AUDIENCE,
        exp=claims.expires_at,
        iat=claims.caller.issued_at,
        jti=claims.token_id,
        sid=str(claims.caller.session_id),
        auth_time=claims.authentication.at,
        acr=claims.authentication.acr,
        amr=list(claims.authentication.amr),
        roles=list(owner.roles) or None,
        act=Actor(sub=str(claims.actor_id)) if claims.actor_id else None,
    )


async def _refresh_token(found: Services, token: RefreshToken) -> Introspection:
    async with found.database.reading() as session:
        owned = await sessions.find(session, token)
    if owned is None:
        return INACTIVE
    current, user = owned
    return Introspection(
        active=True,
        sub=str(user.id),
        username=user.username,
        iss=found.access_tokens.issuer,
        exp=int(current.expires_at.timestamp()),
        iat=int(current.last_used_at.timestamp()),
        sid=str(current.id),
    )


def _is_known_client(request: Request, known: ClientCredential | None) -> bool:
    given = _basic_credential(request)
    if known is None or given is None:
        return False
    # RFC 6749 section 2.3.1 wants both form-encoded, and half of the clients send them as they are.
    decoded = ClientCredential(unquote_plus(given.id), unquote_plus(given.secret))
    return _is_same(given, known) or _is_same(decoded, known)


def _is_same(given: ClientCredential, known: ClientCredential) -> bool:
    """Compare both in constant time, whatever the first comparison says."""
    right_id = hmac.compare_digest(given.id.encode(), known.id.encode())
    right_secret = hmac.compare_digest(given.secret.encode(), known.secret.encode())
    return right_id and right_secret


def _basic_credential(request: Request) -> ClientCredential | None:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        return None
    id, _, secret = decoded.partition(":")
    # The settings have no white space around them either.
    return ClientCredential(id.strip(), secret.strip())
