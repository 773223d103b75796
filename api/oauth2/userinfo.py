"""GET /userinfo: the current user, for OAuth2 tools."""

from datetime import datetime

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api.dependencies import app_state, caller_of, documented_bearer, services
from api.errors import OAuthError
from api.oauth2.responses import json_response

router = APIRouter(tags=["OAuth2"])


class UserInfo(BaseModel):
    """The current user, with the claim names of OpenID Connect Core 1.0 section 5.1 where it has
    them."""

    sub: str = Field(description="The user's id, the same as `me { id }`.")
    preferred_username: str
    email: str
    email_verified: bool = Field(description="The same as `me { emailVerified }`.")
    picture: str | None = None
    created_at: datetime


@router.get(
    "/userinfo",
    summary="Read the current user",
    response_model=UserInfo,
    response_model_exclude_none=True,
    responses={401: {"model": OAuthError}, 503: {"model": OAuthError}},
    dependencies=[Depends(documented_bearer)],
)
async def userinfo(request: Request) -> Response:
    user = await app_state(request).current_users.load(caller_of(request))
    found = UserInfo(
        sub=str(user.id),
        preferred_username=user.username,
        email=user.email,
        email_verified=user.email_verified_at is not None,
        picture=services(request).picture_url(user.picture_id) or user.image_file,
        created_at=user.created_at,
    )
    return json_response(found, exclude_none=True)
