"""Roles of users."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import roles
from domain.roles import Role
from graphql_schema.enums import publish

publish(
    Role,
    name="Role",
    description="What permits a user to act on accounts of others.",
    values={
        Role.ADMIN: "Everything, which includes to grant roles.",
        Role.SUPPORT: "Read accounts, and disable them, end their sessions, require a new password and remove their second"
        " factors, unless they have a role.",
    },
)


async def roles_of_users(session: AsyncSession, user_ids: list[UUID]) -> list[list[Role]]:
    found = await roles.roles_of(session, user_ids)
    return [found[user_id] for user_id in user_ids]
