"""The types of the graph. Each is built by a classmethod from what the domain gives."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry
from strawberry.relay import PageInfo

from db import models
from domain.errors import NotFound
from domain.pages import MAX_PAGE_SIZE, Page, Window, cursor
from domain.tokens import AccessToken
from graphql_schema.context import Info
from graphql_schema.limits import LONG_TEXT, SEARCHES

First = Annotated[
    int | None,
    strawberry.argument(description=f"How many, newest first: 1 to {MAX_PAGE_SIZE}."),
]
After = Annotated[
    str | None,
    strawberry.argument(description="Begin after this cursor: the `endCursor` of the page before."),
]


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

    @strawberry.field(metadata=SEARCHES, description="What this person has written, newest first.")
    async def posts(self, info: Info, first: First = 20, after: After = None) -> "PostConnection":
        window = Window.of(first, after)
        page = await info.context.loaders.posts_by_author.load((UUID(self.id), window))
        return PostConnection.of(page)


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


@strawberry.type(description="Something that someone wrote for all to read.")
class Post:
    id: strawberry.ID = strawberry.field(description="A UUID, never used again.")
    title: str = strawberry.field(description="1 to 200 characters on one line.")
    content: str = strawberry.field(
        metadata=LONG_TEXT, description="1 to 50,000 characters, exactly as written."
    )
    created_at: datetime = strawberry.field(description="When it was published, in UTC.")
    updated_at: datetime = strawberry.field(description="When it was last edited, in UTC.")
    author_id: strawberry.Private[UUID]

    @classmethod
    def of(cls, post: models.Post) -> Self:
        return cls(
            id=strawberry.ID(str(post.id)),
            title=post.title,
            content=post.content,
            created_at=post.created_at,
            updated_at=post.updated_at,
            author_id=post.author_id,
        )

    @strawberry.field(description="Who wrote it.")
    async def author(self, info: Info) -> PublicUser:
        author = await info.context.loaders.users.load(self.author_id)
        if author is None:
            raise NotFound("The author has just deleted their account, and this post with it.")
        return PublicUser.of(author)


@strawberry.type(description="A post in its place in a list.")
class PostEdge:
    cursor: str = strawberry.field(description="The place, as `after` takes it.")
    node: Post = strawberry.field(description="The post.")


@strawberry.type(
    description="A page of posts, newest first (Relay's Cursor Connections)."
    " Posts that come or go between two pages move none of the others."
)
class PostConnection:
    edges: list[PostEdge] = strawberry.field(description="The posts of this page.")
    page_info: PageInfo = strawberry.field(description="Where this page is in the list.")

    @classmethod
    def of(cls, page: Page[models.Post]) -> Self:
        edges = [PostEdge(cursor=cursor(post.id), node=Post.of(post)) for post in page.rows]
        return cls(
            edges=edges,
            page_info=PageInfo(
                has_next_page=page.has_next,
                has_previous_page=page.has_previous,
                start_cursor=edges[0].cursor if edges else None,
                end_cursor=edges[-1].cursor if edges else None,
            ),
        )
