"""Queries of users."""

from typing import Annotated

import strawberry

from domain import accounts
from graphql_schema.context import Info
from graphql_schema.ids import as_uuid
from graphql_schema.types.private_user import PrivateUser
from graphql_schema.types.users import PublicUser


@strawberry.field(
    description="The current user. Without a valid access token: null, and an error. Errors: UNAUTHENTICATED, TOKEN_EXPIRED."
)
async def me(info: Info) -> PrivateUser | None:
    return PrivateUser.of(
        await info.context.current_user(), info.context.caller(needs_second_factor=False)
    )


@strawberry.field(description="A user as others see them, or null if there is no such user.")
async def user(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The user's id.")],
) -> PublicUser | None:
    user_id = as_uuid(id)
    user = await info.context.database.read_from_replica(
        lambda session: accounts.get_user(session, user_id)
    )
    return PublicUser.of(user) if user else None
