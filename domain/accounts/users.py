"""Rows of users: how they are read, and how their unique columns are set."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.errors import violated_constraint
from db.models import User
from domain import events, usernames
from domain.access_tokens.tokens import Caller
from domain.email_domains import NOT_ACCEPTED
from domain.emails import INVALID_EMAIL, Address
from domain.errors import EmailTaken, UsernameTaken
from domain.events import EventType
from domain.services import Services
from domain.text import trim


async def get_user(session: AsyncSession, user_id: UUID) -> User | None:
    user: User | None = await session.scalar(
        select(User).where(User.id == user_id, User.deleted_at.is_(None))
    )
    return user


async def get_users(session: AsyncSession, user_ids: Collection[UUID]) -> dict[UUID, User]:
    """Return users by id, without those that do not exist."""
    found = await session.scalars(
        select(User).where(User.id.in_(user_ids), User.deleted_at.is_(None))
    )
    return {user.id: user for user in found}


def publish_if_changed(session: AsyncSession, user: User, caller: Caller) -> None:
    """Publish that a profile has changed, if the transaction changes the row."""
    if session.is_modified(user):
        events.publish(
            session, EventType.USER_UPDATED, user_id=user.id, session_id=caller.session_id
        )


def email_problems(services: Services, address: Address | None) -> list[str]:
    """Return why an account cannot get an email, as sentences. An account that has it keeps it."""
    if address is None:
        return [INVALID_EMAIL]
    return [] if services.email_domains.accept(address) else [NOT_ACCEPTED]


def set_username(user: User, username: str) -> None:
    key = usernames.key(username)
    assert key is not None
    user.username, user.username_key = trim(username), key


def set_email(user: User, address: Address, *, verified_at: datetime | None = None) -> None:
    user.email, user.email_key = address.text, address.key
    user.email_verified_at, user.email_undeliverable_at = verified_at, None


@asynccontextmanager
async def unique_violations_as_errors(
    database: Database, user_id: UUID, username: str | None, *, email_field: str = "email"
) -> AsyncIterator[None]:
    """Turn a violated unique constraint of the transaction inside into UsernameTaken or EmailTaken.

    The database decides uniqueness, because checking first and writing later is a race. When both
    are taken, the error names the username on both databases, whichever constraint they check
    first. ``email_field`` is the argument that the email comes from.
    """
    try:
        yield
        return
    except IntegrityError as error:
        violated = violated_constraint(error)
        if violated not in ("uq_users_username_key", "uq_users_email_key"):
            raise
    if violated == "uq_users_email_key":
        async with database.reading() as session:
            holder = await session.scalar(
                select(User.id).where(
                    User.username_key == (username and usernames.key(username)), User.id != user_id
                )
            )
        if holder is None:
            raise EmailTaken(email_field)
    raise UsernameTaken
