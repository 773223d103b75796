"""The types of the graph. Each is built by a classmethod from what the domain gives."""

from datetime import datetime
from typing import Self

import strawberry

from db import models
from domain.tokens import AccessToken


@strawberry.interface(description="A person with an account: what everyone may know about them.")
class User:
    id: strawberry.ID = strawberry.field(
        description="A UUID. The same for the PublicUser and the PrivateUser of one person, and never used again."
    )
    username: str = strawberry.field(
        description="The name, in the upper and lower case that its owner typed."
    )
    image_file: str | None = strawberry.field(
        description="The person's picture: a file name or an http(s) address; null if there is none."
    )
    created_at: datetime = strawberry.field(description="When the account was opened, in UTC.")


@strawberry.type(description="Someone as others see them. Holds nothing private, on any path.")
class PublicUser(User):
    @classmethod
    def of(cls, user: models.User) -> Self:
        return cls(
            id=strawberry.ID(str(user.id)),
            username=user.username,
            image_file=user.image_file,
            created_at=user.created_at,
        )


@strawberry.type(description="The caller as they see themselves. It is only ever the caller.")
class PrivateUser(User):
    email: str = strawberry.field(description="The email, in lower case. No other type has it.")

    @classmethod
    def of(cls, user: models.User) -> Self:
        return cls(
            id=strawberry.ID(str(user.id)),
            username=user.username,
            image_file=user.image_file,
            created_at=user.created_at,
            email=user.email,
        )


@strawberry.type(description="What proves who you are, and who that is.")
class Token:
    access_token: str = strawberry.field(
        description="Send it as the header `Authorization: Bearer <accessToken>`."
    )
    token_type: str = strawberry.field(description="Always `bearer` (RFC 6750).")
    expires_in: int = strawberry.field(description="How long the token lives from now, in seconds.")
    user: PrivateUser = strawberry.field(description="Whom the token was issued to.")

    @classmethod
    def of(cls, token: AccessToken, user: models.User) -> Self:
        return cls(
            access_token=token.value,
            token_type="bearer",
            expires_in=token.expires_in,
            user=PrivateUser.of(user),
        )

    # No secret in a repr: it would find its way into a log.
    __repr__ = object.__repr__
