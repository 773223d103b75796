"""GET /.well-known/webauthn: the origins of other domains that may use the passkeys of this one
(WebAuthn Level 3, section 5.11)."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.dependencies import services
from api.errors import OAuthError

router = APIRouter(tags=["Passkeys"])


class RelatedOrigins(BaseModel):
    """The origins that browsers accept for the domain of the passkeys."""

    origins: list[str] = Field(examples=[["https://app.example.com"]])


@router.get(
    "/.well-known/webauthn",
    summary="Read the origins that may use the passkeys of this domain",
    responses={404: {"model": OAuthError, "description": "This server has no passkeys."}},
)
async def related_origins(request: Request) -> RelatedOrigins:
    """Return the origins. Browsers ask the host that the passkeys belong to, and no other."""
    party = services(request).relying_party
    if party is None:
        raise HTTPException(404)
    return RelatedOrigins(origins=list(party.origins))
