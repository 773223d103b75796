"""Mutations of posts."""

from typing import Annotated

import strawberry

from domain import posts
from graphql_schema.context import Info
from graphql_schema.ids import as_uuid
from graphql_schema.types.posts import Post
from graphql_schema.types.users import PublicUser


@strawberry.input(description="The text of a post.")
class PostInput:
    title: str = strawberry.field(description="1 to 200 characters on one line.")
    content: str = strawberry.field(description="1 to 50,000 characters, stored exactly as sent.")


PostId = Annotated[strawberry.ID, strawberry.argument(description="The post's id.")]


@strawberry.mutation(
    description="Publishes a post."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, INVALID_INPUT, TOO_MANY_ATTEMPTS, QUOTA_EXCEEDED."
)
async def create_post(
    info: Info,
    input: Annotated[PostInput, strawberry.argument(description="The new post.")],
) -> Post:
    post = await posts.publish(
        info.context.services,
        info.context.device,
        info.context.caller(),
        title=input.title,
        content=input.content,
    )
    return Post.of(post, PublicUser.of(post.author), content=post.content)


@strawberry.mutation(
    description="Replaces the text of one of your posts."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, NOT_FOUND, FORBIDDEN, INVALID_INPUT, TOO_MANY_ATTEMPTS."
)
async def update_post(
    info: Info,
    id: PostId,
    input: Annotated[PostInput, strawberry.argument(description="The new text.")],
) -> Post:
    post = await posts.edit(
        info.context.services,
        info.context.device,
        info.context.caller(),
        as_uuid(id),
        title=input.title,
        content=input.content,
    )
    return Post.of(post, PublicUser.of(post.author), content=post.content)


@strawberry.mutation(
    description="Deletes one of your posts, permanently, and returns its id."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, NOT_FOUND, FORBIDDEN."
)
async def delete_post(info: Info, id: PostId) -> strawberry.ID:
    await posts.delete(
        info.context.services, info.context.device, info.context.caller(), as_uuid(id)
    )
    return id
