"""GET /userinfo: the caller as JSON, for OAuth2 tools."""

from datetime import datetime

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from api.dependencies import caller_of, documented_bearer, services
from api.errors import OAuthError

router = APIRouter(tags=["OAuth2"])


class UserInfo(BaseModel):
    """The caller, by the names of OpenID Connect Core 1.0 section 5.1 where it has one."""

    sub: str = Field(description="The user's id, as `me { id }` has it.")
    preferred_username: str
    email: str
    email_verified: bool = Field(description="Whether mail has been proven to arrive: not yet.")
    picture: str | None = None
    created_at: datetime


@router.get(
    "/userinfo",
    summary="Who is calling",
    response_model_exclude_none=True,
    responses={401: {"model": OAuthError}, 503: {"model": OAuthError}},
    dependencies=[Depends(documented_bearer)],
)
async def userinfo(request: Request) -> UserInfo:
    user = await services(request).callers.account(caller_of(request))
    return UserInfo(
        sub=str(user.id),
        preferred_username=user.username,
        email=user.email,
        email_verified=False,
        picture=user.image_file,
        created_at=user.created_at,
    )
