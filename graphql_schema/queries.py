"""The queries."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts
from graphql_schema.context import Info
from graphql_schema.types import PrivateUser, PublicUser


@strawberry.type(description="What can be read.")
class Query:
    @strawberry.field(
        description="The caller. For a caller who is nobody: null, and an error UNAUTHENTICATED or TOKEN_EXPIRED."
    )
    async def me(self, info: Info) -> PrivateUser | None:
        return PrivateUser.of(await info.context.viewer())

    @strawberry.field(description="Anyone, as others see them; null when there is no such user.")
    async def user(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The user's id.")],
    ) -> PublicUser | None:
        try:
            user_id = UUID(id)
        except ValueError:
            return None
        async with info.context.sessions() as session:
            user = await accounts.get_user(session, user_id)
        return PublicUser.of(user) if user else None
