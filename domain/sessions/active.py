"""The sessions that go on, and who may act in them."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models import LoginSession, User, UtcDateTime
from domain.access_tokens.tokens import Caller
from domain.errors import SessionEnded
from domain.sessions.refresh_tokens import RefreshToken

# So that a list of them is short. Whoever starts more loses the one that was not used for longest.
MAX_SESSIONS = 100

#: For statements that are made once: the time at which a session goes on or does not.
NOW = bindparam("now", type_=UtcDateTime())


async def authorize(
    session: AsyncSession,
    caller: Caller,
    *,
    lock: Literal["to keep", "to change"] | None = None,
    with_secrets: bool = False,
) -> User:
    """The caller's row, in one statement with the verdict on their session. Raises SessionEnded when it has ended or
    expired, or the account is gone.

    Until the transaction ends, a user locked "to keep" is deleted by nobody, and one locked "to change" is changed by
    nobody else.
    """
    statement = (
        select(User)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(User.id == caller.user_id, LoginSession.id == caller.session_id, is_ongoing())
    )
    if lock == "to keep":
        statement = statement.with_for_update(of=User, read=True, key_share=True)
    elif lock == "to change":
        # First, and by itself: PostgreSQL would see the session as it was when it began to wait.
        row = select(User.id).where(User.id == caller.user_id)
        await session.execute(row.with_for_update(key_share=True))
    if with_secrets:
        statement = statement.options(undefer(User.password_hash), undefer(User.email_key))
    user = await session.scalar(statement)
    if user is None:
        raise SessionEnded
    return user


async def ongoing(session: AsyncSession, user_id: UUID) -> list[LoginSession]:
    """The most recently used first."""
    found = await session.scalars(
        select(LoginSession)
        .where(LoginSession.user_id == user_id, is_ongoing())
        .order_by(LoginSession.last_used_at.desc(), LoginSession.id.desc())
        .limit(MAX_SESSIONS)
    )
    return list(found)


async def find(session: AsyncSession, token: RefreshToken) -> tuple[LoginSession, User] | None:
    """The session that a refresh token would keep going, and whose it is; nothing is spent."""
    found = await session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.family_hash == token.family_hash,
            LoginSession.refresh_hash == token.hash,
            is_ongoing(),
        )
    )
    row = found.one_or_none()
    return None if row is None else (row[0], row[1])


def is_ongoing(at: datetime | BindParameter[datetime] | None = None) -> ColumnElement[bool]:
    """By now, if not ``at`` another time. Both are asked: whoever waits for a row compares its expiry with a moment before the end that was written meanwhile."""
    return and_(
        LoginSession.ended_at.is_(None),
        LoginSession.expires_at > (datetime.now(UTC) if at is None else at),
    )
