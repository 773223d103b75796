"""Active sessions: those that have neither ended nor expired."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import undefer

from db.models import LoginSession, User, UtcDateTime
from domain.access_tokens.tokens import MULTIPLE_FACTORS, Caller
from domain.errors import Forbidden, SessionEnded
from domain.mail.mailer import RECIPIENT
from domain.roles import Role
from domain.sessions.refresh_tokens import RefreshToken

# This bounds `me { sessions }`. Starting one more ends the session that was unused for the longest
# time.
MAX_SESSIONS = 100

#: The options of a statement that selects a user to issue tokens to.
SIGN_IN = (undefer(User.role_names), undefer(User.disabled_at), undefer(User.must_reset_at))

#: The current time, for statements that are built once.
NOW = bindparam("now", type_=UtcDateTime())


async def require_active(
    session: AsyncSession,
    caller: Caller,
    *,
    lock: Literal["to keep", "to change"] | None = None,
    with_secrets: bool = False,
    as_owner: bool = False,
) -> User:
    """Return the caller's row, read together with the state of their session in one statement.

    Until the transaction ends, a row locked "to keep" cannot be deleted, and a row locked "to
    change" can be changed by this transaction only. What the owner alone may do reads it
    ``as_owner``.

    Raises SessionEnded if the session has ended or expired, or if the account was deleted, and
    Forbidden ``as_owner`` of an impersonated session.
    """
    statement = (
        select(User, LoginSession.impersonator_id)
        .join(LoginSession, LoginSession.user_id == User.id)
        .where(User.id == caller.user_id, LoginSession.id == caller.session_id, is_active())
    )
    if lock == "to keep":
        statement = statement.with_for_update(of=User, read=True, key_share=True)
    elif lock == "to change":
        # In a statement of its own: PostgreSQL would otherwise read the session as it was before
        # the wait for the lock.
        locked = select(User.id).where(User.id == caller.user_id)
        await session.execute(locked.with_for_update(key_share=True))
    if with_secrets:
        statement = statement.options(
            undefer(User.password_hash), undefer(User.email_key), *RECIPIENT, *SIGN_IN
        )
    found = (await session.execute(statement)).one_or_none()
    if found is None:
        raise SessionEnded
    user, impersonator_id = found
    if as_owner and impersonator_id is not None:
        raise Forbidden("An impersonated session cannot change the account.")
    return user


@dataclass(frozen=True, slots=True)
class Owner:
    """The user of an active session, as other services are told."""

    username: str
    roles: list[Role]


async def owner(connection: AsyncConnection, caller: Caller) -> Owner:
    """Return the caller's user, read without the ORM, which takes several times as long. Raises
    SessionEnded as `require_active` does."""
    ids = {"user_id": caller.user_id, "session_id": caller.session_id}
    found = await connection.execute(_OWNER, {**ids, NOW.key: datetime.now(UTC)})
    row = found.one_or_none()
    if row is None:
        raise SessionEnded
    username, role_names = row
    names = (role_names or "").split()
    return Owner(username, [role for role in Role if role in names])


async def lock_active(session: AsyncSession, caller: Caller) -> tuple[User, LoginSession]:
    """Lock the caller's row and that of their session to change them, and return both with their
    secrets, the user as a recipient of mail.

    Raises SessionEnded, or Forbidden if an administrator impersonates the user.
    """
    user = await require_active(session, caller, lock="to change", with_secrets=True, as_owner=True)
    current = await session.scalar(
        select(LoginSession)
        .where(LoginSession.id == caller.session_id, is_active())
        .options(
            undefer(LoginSession.family_hash),
            undefer(LoginSession.refresh_hash),
            undefer(LoginSession.rotations),
        )
        .with_for_update()
    )
    if current is None:
        raise SessionEnded
    return user, current


async def active(session: AsyncSession, user_id: UUID) -> list[LoginSession]:
    """Return a user's active sessions, the most recently used first."""
    found = await session.scalars(
        select(LoginSession)
        .where(LoginSession.user_id == user_id, is_active())
        .order_by(LoginSession.last_used_at.desc(), LoginSession.id.desc())
        .limit(MAX_SESSIONS)
    )
    return list(found)


async def with_second_factor(session: AsyncSession, session_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the sessions whose user has proved two factors."""
    found = await session.execute(
        select(LoginSession.id, LoginSession.amr).where(LoginSession.id.in_(session_ids))
    )
    return {session_id for session_id, amr in found if MULTIPLE_FACTORS in amr}


async def impersonators(session: AsyncSession, session_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the ids of the administrators who act in sessions of others, by the session's id."""
    rows = await session.execute(
        select(LoginSession.id, LoginSession.impersonator_id).where(
            LoginSession.id.in_(session_ids)
        )
    )
    return {id: impersonator_id for id, impersonator_id in rows if impersonator_id}


async def find(session: AsyncSession, token: RefreshToken) -> tuple[LoginSession, User] | None:
    """Return the session that a refresh token belongs to, and its user. The token stays unused."""
    found = await session.execute(
        select(LoginSession, User)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.family_hash == token.family_hash,
            LoginSession.refresh_hash == token.hash,
            is_active(),
        )
    )
    row = found.one_or_none()
    return None if row is None else (row[0], row[1])


def is_active(at: datetime | BindParameter[datetime] | None = None) -> ColumnElement[bool]:
    """Return the condition that a session is active now, or ``at`` another time.

    It tests both columns: a statement that waited for a lock compares ``expires_at`` with a time
    before the end that was written meanwhile.
    """
    return and_(
        LoginSession.ended_at.is_(None),
        LoginSession.expires_at > (datetime.now(UTC) if at is None else at),
    )


# Built once: building it takes longer than running it.
_OWNER = (
    select(User.username, User.role_names)
    .join(LoginSession, LoginSession.user_id == User.id)
    .where(
        User.id == bindparam("user_id"), LoginSession.id == bindparam("session_id"), is_active(NOW)
    )
)
