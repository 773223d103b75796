"""GET /.well-known/oauth-authorization-server: what an OAuth2 client may find here (RFC 8414)."""

import time

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api.dependencies import services
from api.oauth2.jwks import JWKS

router = APIRouter(tags=["OAuth2"])


class Metadata(BaseModel):
    """What OAuth2 clients find here (RFC 8414 section 2). What is not listed does not work."""

    issuer: str
    token_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str | None = Field(default=None, description="Absent where no keys sign.")
    grant_types_supported: list[str] = ["password", "refresh_token"]
    # Required by section 2, left out when empty by section 3.2: clients look for it.
    response_types_supported: list[str] = Field(
        default=[], description="None: there is no authorization endpoint."
    )
    token_endpoint_auth_methods_supported: list[str] = ["none"]
    revocation_endpoint_auth_methods_supported: list[str] = ["none"]
    introspection_endpoint_auth_methods_supported: list[str]


@router.get(
    "/.well-known/oauth-authorization-server",
    summary="What OAuth2 clients find here",
    response_model_exclude_none=True,
)
async def metadata(request: Request) -> Metadata:
    found = services(request)
    issuer = found.tokens.issuer
    basic = ["client_secret_basic"] if found.introspection_client else []
    return Metadata(
        issuer=issuer,
        token_endpoint=f"{issuer}/token",
        revocation_endpoint=f"{issuer}/revoke",
        introspection_endpoint=f"{issuer}/introspect",
        userinfo_endpoint=f"{issuer}/userinfo",
        jwks_uri=f"{issuer}{JWKS}" if found.tokens.ring.published(time.time()) else None,
        introspection_endpoint_auth_methods_supported=["Bearer", *basic],
    )
