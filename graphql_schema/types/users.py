"""Users as everyone sees them."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from db import models
from domain import accounts
from domain.pictures import PictureSize
from domain.posts import Author
from graphql_schema.context import Info
from graphql_schema.enums import publish
from graphql_schema.types import posts

publish(
    PictureSize,
    name="PictureSize",
    description="The size of a picture.",
    values={size: f"{size.pixels} pixels wide and high." for size in PictureSize},
)


@strawberry.interface(description="A user. Everyone may read these fields.")
class User:
    id: strawberry.ID = strawberry.field(
        description="A UUID. It is the same for the PublicUser and the PrivateUser of one user, and is never reused."
    )
    username: str = strawberry.field(description="The username, in the case its owner typed.")
    image_file: str | None = strawberry.field(
        description="An image that is stored elsewhere: a file name or an http or https URL, as `updateMe` has set it. Null if"
        " there is none. `picture` is the uploaded picture."
    )
    created_at: datetime = strawberry.field(description="When the account was created, in UTC.")
    picture_id: strawberry.Private[str | None]

    @strawberry.field(
        description="The address of the uploaded picture, a square in WebP. Null if there is none. It may be cached for ever:"
        " another picture has another address. `PUT /me/picture` uploads one."
    )
    def picture(
        self,
        info: Info,
        size: Annotated[
            PictureSize | None, strawberry.argument(description="The size of the square.")
        ] = PictureSize.MEDIUM,
    ) -> str | None:
        return info.context.services.picture_url(self.picture_id, size or PictureSize.MEDIUM)


async def public_users(session: AsyncSession, user_ids: list[UUID]) -> list["PublicUser | None"]:
    found = await accounts.get_users(session, user_ids)
    return [PublicUser.of(found[user_id]) if user_id in found else None for user_id in user_ids]


@strawberry.type(description="A user as others see them. No private data can be reached from here.")
class PublicUser(User):
    posts = posts.posts_of_user

    @classmethod
    def of(cls, user: models.User | Author) -> Self:
        return cls(
            id=strawberry.ID(str(user.id)),
            username=user.username,
            image_file=user.image_file,
            picture_id=user.picture_id,
            created_at=user.created_at,
        )
