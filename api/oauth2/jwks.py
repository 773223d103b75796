"""GET /.well-known/jwks.json: the public keys that verify access tokens (RFC 7517 section 5)."""

import time

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.dependencies import services
from domain.access_tokens.keys import MAX_AGE

JWKS = "/.well-known/jwks.json"

HEADERS = {
    "Cache-Control": f"public, max-age={MAX_AGE.total_seconds():.0f}",
    # Public keys may be read by pages of any origin.
    "Access-Control-Allow-Origin": "*",
}

router = APIRouter(tags=["OAuth2"])


class Jwk(BaseModel):
    """A public key (RFC 7517 section 4, RFC 7518 section 6)."""

    kid: str = Field(description="The key id, as in the header of a token.")
    alg: str = Field(examples=["ES256"])
    use: str = Field(examples=["sig"])
    kty: str = Field(examples=["EC"])
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None


class Jwks(BaseModel):
    """The keys that verify tokens now or soon. Empty if SECRET_KEY signs."""

    keys: list[Jwk]


@router.get(
    JWKS, summary="Read the public keys that verify access tokens", response_model_exclude_none=True
)
async def jwks(request: Request, response: Response) -> Jwks:
    """Return the keys that the process knows, without I/O."""
    response.headers.update(HEADERS)
    published = services(request).access_tokens.ring.published(time.time())
    return Jwks(keys=[Jwk(**key.as_public_jwk()) for key in published])
