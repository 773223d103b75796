"""GET /.well-known/oauth-authorization-server: the authorization server metadata (RFC 8414)."""

import time

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api.dependencies import app_state
from api.oauth2.jwks import JWKS
from api.oauth2.token import GRANT_TYPES

WELL_KNOWN = "/.well-known/oauth-authorization-server"

router = APIRouter(tags=["OAuth2"])


class Metadata(BaseModel):
    """Authorization server metadata (RFC 8414 section 2)."""

    issuer: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str | None = Field(default=None, description="Absent if no keys sign.")
    grant_types_supported: list[str] = list(GRANT_TYPES)
    # Section 2 requires it and section 3.2 omits empty values. Clients expect it.
    response_types_supported: list[str] = Field(
        default=[], description="Empty: there is no authorization endpoint."
    )
    token_endpoint_auth_methods_supported: list[str] = ["none"]
    revocation_endpoint_auth_methods_supported: list[str] = ["none"]
    introspection_endpoint_auth_methods_supported: list[str]


@router.get(
    WELL_KNOWN,
    summary="Read the authorization server metadata",
    response_model_exclude_none=True,
)
async def metadata(request: Request) -> Metadata:
    state = app_state(request)
    tokens = state.services.access_tokens
    issuer = tokens.issuer
    basic = ["client_secret_basic"] if state.introspection_client else []
    return Metadata(
        issuer=issuer,
        token_endpoint=f"{issuer}/token",
        revocation_endpoint=f"{issuer}/revoke",
        introspection_endpoint=f"{issuer}/introspect",
        userinfo_endpoint=f"{issuer}/userinfo",
        jwks_uri=f"{issuer}{JWKS}" if tokens.ring.published(time.time()) else None,
        introspection_endpoint_auth_methods_supported=["Bearer", *basic],
    )
