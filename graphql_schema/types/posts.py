"""Posts, and the pages of posts of one user."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from db import models
from domain import posts
from domain.errors import NotFound
from domain.pagination import Page, PageRequest
from domain.posts import PostWithAuthor
from graphql_schema.connections import After, Connection, First, connection
from graphql_schema.context import Info
from graphql_schema.engine.costs import LIST_QUERY, LONG_TEXT, cost

if TYPE_CHECKING:
    from graphql_schema.types.users import PublicUser


async def content_of_post(self: "Post", info: Info) -> str:
    response = info.context.response
    if self.known_content is not None:
        response.reserve(len(self.known_content.encode()))
        return self.known_content
    contents = info.context.loaders.from_replica(contents_by_id, response.reserve)
    content = await contents.load(UUID(self.id))
    if content is None:
        raise NotFound("The post was deleted meanwhile.")
    return content


@strawberry.type(description="A post. Everyone may read it.")
class Post:
    id: strawberry.ID = strawberry.field(description="A UUID, never reused.")
    title: str = strawberry.field(description="1 to 200 characters on one line.")
    content: str = strawberry.field(
        resolver=content_of_post,
        metadata=cost(LONG_TEXT),
        description="1 to 50,000 characters, exactly as sent.",
    )
    created_at: datetime = strawberry.field(description="When it was published, in UTC.")
    updated_at: datetime = strawberry.field(description="When it was last edited, in UTC.")
    author: Annotated["PublicUser", strawberry.lazy("graphql_schema.types.users")] = (
        strawberry.field(description="The user who wrote it.")
    )

    #: The content, if it has been read already.
    known_content: strawberry.Private[str | None]

    @classmethod
    def of(
        cls,
        post: models.Post | PostWithAuthor,
        author: "PublicUser",
        *,
        content: str | None = None,
    ) -> Self:
        return cls(
            id=strawberry.ID(str(post.id)),
            title=post.title,
            created_at=post.created_at,
            updated_at=post.updated_at,
            author=author,
            known_content=content,
        )


async def contents_by_id(
    session: AsyncSession, ids: list[UUID], reserve: Callable[[int], None]
) -> list[str | None]:
    """Read the contents of posts, for a DataLoader: all that an operation asks for at a time are
    weighed together, before any is read."""
    contents = await posts.contents(session, ids, reserve)
    return [contents.get(id) for id in ids]


@strawberry.field(metadata=cost(LIST_QUERY), description="The user's posts, newest first.")
async def posts_of_user(
    self: "PublicUser", info: Info, first: First = 20, after: After = None
) -> Connection[Post]:
    page_request = PageRequest.of(first, after)
    page = await info.context.loaders.from_replica(posts_by_author).load(
        (UUID(self.id), page_request)
    )
    return connection(page, lambda post: Post.of(post, self))


async def posts_by_author(
    session: AsyncSession, keys: list[tuple[UUID, PageRequest]]
) -> list[Page[PostWithAuthor]]:
    """Read the pages of several authors, for a DataLoader."""
    authors: dict[PageRequest, set[UUID]] = defaultdict(set)
    for author_id, page_request in keys:
        authors[page_request].add(author_id)
    pages = {
        page_request: await posts.latest_by(session, author_ids, page_request)
        for page_request, author_ids in authors.items()
    }
    return [pages[page_request][author_id] for author_id, page_request in keys]
