"""GET /.well-known/jwks.json: the public keys, by which other services verify access tokens (RFC 7517 section 5)."""

import time

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.dependencies import services
from domain.access_tokens.keys import MAX_AGE

JWKS = "/.well-known/jwks.json"

HEADERS = {
    "Cache-Control": f"public, max-age={MAX_AGE.total_seconds():.0f}",
    # There is nothing in it that a page of any origin may not see.
    "Access-Control-Allow-Origin": "*",
}

router = APIRouter(tags=["OAuth2"])


class Jwk(BaseModel):
    """A public key (RFC 7517 section 4, RFC 7518 section 6)."""

    kid: str = Field(description="Which key it is: as in the header of a token.")
    alg: str = Field(examples=["ES256"])
    use: str = Field(examples=["sig"])
    kty: str = Field(examples=["EC"])
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None


class Jwks(BaseModel):
    """All that verify now or will soon. None where SECRET_KEY signs, which nobody else may know."""

    keys: list[Jwk]


@router.get(
    JWKS, summary="The public keys that verify access tokens", response_model_exclude_none=True
)
async def jwks(request: Request, response: Response) -> Jwks:
    """Without I/O: the keys are those that the process knows."""
    response.headers.update(HEADERS)
    published = services(request).tokens.ring.published(time.time())
    return Jwks(keys=[Jwk(**key.as_public_jwk()) for key in published])
