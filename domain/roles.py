"""Roles and what they permit. Nothing is permitted unless it is written here (OWASP ASVS 5, 8.2.1).

Rights go by the rows of ``user_roles`` at each request. The claim ``roles`` of an access token is
for other services.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User, UserRole
from domain.errors import Forbidden

LAST_ADMINISTRATOR = "This is the last administrator. Grant the role to another user first."


class Role(StrEnum):
    ADMIN = "ADMIN"
    SUPPORT = "SUPPORT"


class Permission(StrEnum):
    """What a role can permit."""

    READ_ACCOUNTS = "READ_ACCOUNTS"
    #: Disable and enable them.
    DISABLE_ACCOUNTS = "DISABLE_ACCOUNTS"
    END_SESSIONS = "END_SESSIONS"
    REQUIRE_PASSWORD_RESETS = "REQUIRE_PASSWORD_RESETS"
    REMOVE_SECOND_FACTORS = "REMOVE_SECOND_FACTORS"
    #: Correct usernames and emails.
    CORRECT_ACCOUNTS = "CORRECT_ACCOUNTS"
    DELETE_ACCOUNTS = "DELETE_ACCOUNTS"
    EXPORT_ACCOUNTS = "EXPORT_ACCOUNTS"
    INVITE = "INVITE"
    #: Grant and revoke them.
    GRANT_ROLES = "GRANT_ROLES"
    IMPERSONATE = "IMPERSONATE"
    #: Do any of this to an account that has a role.
    MANAGE_STAFF = "MANAGE_STAFF"


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.SUPPORT: frozenset(
        {
            Permission.READ_ACCOUNTS,
            Permission.DISABLE_ACCOUNTS,
            Permission.END_SESSIONS,
            Permission.REQUIRE_PASSWORD_RESETS,
            Permission.REMOVE_SECOND_FACTORS,
        }
    ),
}


#: What takes a recent proof of who the actor is.
NEEDS_PROOF = frozenset(
    {
        Permission.CORRECT_ACCOUNTS,
        Permission.DELETE_ACCOUNTS,
        Permission.EXPORT_ACCOUNTS,
        Permission.GRANT_ROLES,
        Permission.IMPERSONATE,
    }
)


@dataclass(frozen=True, slots=True)
class Operator:
    """Stand for the operator at the command line, who may do everything."""


OPERATOR = Operator()


def permissions_of(roles: Collection[str]) -> frozenset[Permission]:
    """Return what the roles permit. The name of a role that this release does not know permits
    nothing."""
    return frozenset().union(*(PERMISSIONS[role] for role in Role if role in roles))


async def roles_of(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, list[Role]]:
    """Return the roles of users, in the order of the enum."""
    rows = await session.execute(
        select(UserRole.user_id, UserRole.role).where(UserRole.user_id.in_(user_ids))
    )
    found = {(user_id, role) for user_id, role in rows}
    return {user_id: [role for role in Role if (user_id, role) in found] for user_id in user_ids}


async def remove_roles(session: AsyncSession, user_id: UUID) -> None:
    """Remove all roles of a user whose account is being deleted."""
    await session.execute(
        delete(UserRole)
        .where(UserRole.user_id == user_id)
        .execution_options(synchronize_session=False)
    )


async def require_another_administrator(session: AsyncSession, user_id: UUID) -> None:
    """Raise Forbidden if this user is the last administrator who can sign in.

    Locks the rows of all administrators until the transaction ends, so that two who leave at once
    do so in turn. Call it before the change, with the user's row locked.
    """
    rows = await session.scalars(
        select(UserRole.user_id)
        .where(UserRole.role == Role.ADMIN)
        .order_by(UserRole.user_id)
        .with_for_update()
    )
    ids = set(rows.all())
    if user_id not in ids:
        return
    # In a statement of its own: PostgreSQL would otherwise read users as they were before the wait
    # for the locks.
    other = await session.scalar(
        select(User.id)
        .where(User.id.in_(ids - {user_id}), User.disabled_at.is_(None), User.deleted_at.is_(None))
        .limit(1)
    )
    if other is None:
        raise Forbidden(LAST_ADMINISTRATOR)
