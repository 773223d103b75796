"""Accounts as the commands print them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User
from domain import admin
from domain.roles import OPERATOR, roles_of
from domain.services import Services


async def look_up(services: Services, address: str) -> User:
    """Return the account with this email, username or id. Raises NotFound."""
    async with services.database.reading() as session:
        return await admin.find_account(session, services, OPERATOR, address)


async def read_account(services: Services, address: str) -> dict[str, Any]:
    """Return the account with this email, username or id as it is now. Raises NotFound."""
    async with services.database.reading() as session:
        user = await admin.find_account(session, services, OPERATOR, address)
        [account] = await described(session, [user])
        return account


async def described(session: AsyncSession, users: Sequence[User]) -> list[dict[str, Any]]:
    """Return accounts in the types of JSON, in the same order."""
    ids = [user.id for user in users]
    roles, seen = await roles_of(session, ids), await admin.last_seen(session, ids)
    return [
        {
            "id": str(user.id),
            "username": user.username,
            "email": user.email,
            "email_verified": user.email_verified_at is not None,
            "roles": list(roles[user.id]),
            "disabled_at": _text(user.disabled_at),
            "disabled_reason": user.disabled_reason,
            "must_reset_at": _text(user.must_reset_at),
            "created_at": _text(user.created_at),
            "last_seen_at": _text(seen.get(user.id)),
        }
        for user in users
    ]


def name_of(account: dict[str, Any]) -> str:
    """Return how a sentence names an account."""
    return f"{account['username']} ({account['email']})"


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
