"""Queries of posts."""

from typing import Annotated
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from domain import posts as domain_posts
from domain.pagination import PageRequest
from domain.posts import PostWithAuthor
from graphql_schema.connections import After, Connection, First, connection
from graphql_schema.context import Info
from graphql_schema.engine.costs import LIST_QUERY, cost
from graphql_schema.ids import as_uuid
from graphql_schema.types.posts import Post, posts_by_author
from graphql_schema.types.users import PublicUser


@strawberry.field(description="A post, or null if there is no such post.")
async def post(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The post's id.")],
) -> Post | None:
    post_id = as_uuid(id)
    post = await info.context.database.read_from_replica(
        lambda session: domain_posts.get_post(session, post_id)
    )
    return _with_author(post) if post else None


@strawberry.field(
    metadata=cost(LIST_QUERY),
    description="The posts of all users, or of one author, newest first. Errors: INVALID_INPUT.",
)
async def posts(
    info: Info,
    first: First = 20,
    after: After = None,
    author: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only the posts of this user.")
    ] = None,
) -> Connection[Post]:
    page_request = PageRequest.of(first, after)
    if author is not None:
        pages = info.context.loaders.from_replica(posts_by_author)
        return connection(await pages.load((as_uuid(author), page_request)), _with_author)
    page = await info.context.database.read_rows_from_replica(
        lambda connection: domain_posts.latest(connection, page_request)
    )
    return connection(page, _with_author)


async def posts_by_id(session: AsyncSession, ids: list[UUID]) -> list[Post | None]:
    """Read posts with their authors, for a DataLoader."""
    found = await domain_posts.get_posts(session, ids)
    return [_with_author(found[id]) if id in found else None for id in ids]


def _with_author(post: PostWithAuthor) -> Post:
    return Post.of(post, PublicUser.of(post.author))
