"""The queries."""

from typing import Annotated

import strawberry

from domain import accounts, posts
from domain.pagination import Window
from graphql_schema.connections import After, Connection, First, connection
from graphql_schema.context import Info
from graphql_schema.engine.limits import SEARCHES
from graphql_schema.ids import as_uuid
from graphql_schema.types import Post, PrivateUser, PublicUser


@strawberry.type(description="What can be read.")
class Query:
    @strawberry.field(
        description="The caller. For a caller who is nobody: null, and an error UNAUTHENTICATED or TOKEN_EXPIRED."
    )
    async def me(self, info: Info) -> PrivateUser | None:
        return PrivateUser.of(await info.context.viewer(), info.context.caller())

    @strawberry.field(description="Anyone, as others see them; null when there is no such user.")
    async def user(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The user's id.")],
    ) -> PublicUser | None:
        async with info.context.database.reading() as session:
            user = await accounts.get_user(session, as_uuid(id))
        return PublicUser.of(user) if user else None

    @strawberry.field(description="One post; null when there is none.")
    async def post(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The post's id.")],
    ) -> Post | None:
        async with info.context.database.reading() as session:
            post = await posts.get_post(session, as_uuid(id))
        return Post.of(post) if post else None

    @strawberry.field(
        metadata=SEARCHES,
        description="What everyone, or one author, has written, newest first."
        " Refused with INVALID_INPUT for a bad `first` or `after`.",
    )
    async def posts(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        author: Annotated[
            strawberry.ID | None, strawberry.argument(description="Only the posts of this user.")
        ] = None,
    ) -> Connection[Post]:
        window = Window.of(first, after)
        if author is not None:
            by_author = info.context.loaders.posts_by_author
            return connection(await by_author.load((as_uuid(author), window)), Post.of)
        async with info.context.database.reading() as session:
            return connection(await posts.latest(session, window), Post.of)
