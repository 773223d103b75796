"""Roles of users."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import roles
from domain.roles import Permission, Role
from graphql_schema.enums import publish

publish(
    Role,
    name="Role",
    description="What permits a user to act on accounts of others.",
    values={
        Role.ADMIN: "Everything, including granting roles.",
        Role.SUPPORT: "Read accounts, and disable them, end their sessions, require a new password and remove their second"
        " factors, unless they have a role.",
    },
)

publish(
    Permission,
    name="Permission",
    description="What a role can permit. An account that has a role takes MANAGE_STAFF as well.",
    values={
        Permission.READ_ACCOUNTS: "To read accounts.",
        Permission.DISABLE_ACCOUNTS: "To disable and enable accounts.",
        Permission.END_SESSIONS: "To end the sessions of accounts.",
        Permission.REQUIRE_PASSWORD_RESETS: "To require new passwords.",
        Permission.REMOVE_SECOND_FACTORS: "To remove second factors.",
        Permission.CORRECT_ACCOUNTS: "To correct usernames and emails.",
        Permission.DELETE_ACCOUNTS: "To delete accounts, and to erase their data.",
        Permission.EXPORT_ACCOUNTS: "To export the data of accounts.",
        Permission.INVITE: "To invite users.",
        Permission.GRANT_ROLES: "To grant and revoke roles.",
        Permission.IMPERSONATE: "To act in place of users.",
        Permission.MANAGE_STAFF: "To do any of this to an account that has a role.",
    },
)


async def roles_of_users(session: AsyncSession, user_ids: list[UUID]) -> list[list[Role]]:
    found = await roles.roles_of(session, user_ids)
    return [found[user_id] for user_id in user_ids]
