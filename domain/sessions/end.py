"""How sessions end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models import LoginSession, User
from domain import security_events
from domain.access_tokens.tokens import Caller
from domain.devices import Client
from domain.errors import NotFound, SessionEnded
from domain.security_events import EventKind
from domain.sessions.active import authorize, is_ongoing
from domain.sessions.refresh_tokens import RefreshToken


async def log_out(session: AsyncSession, caller: Caller, client: Client) -> None:
    """End the caller's own session. Raises SessionEnded."""
    if not await end_on_record(session, client, LoginSession.id == caller.session_id):
        raise SessionEnded


async def end(session: AsyncSession, caller: Caller, client: Client, session_id: UUID) -> None:
    """End one of the caller's sessions. Raises SessionEnded; NotFound for what is no ongoing session of theirs."""
    await authorize(session, caller)
    if not await end_on_record(
        session, client, LoginSession.id == session_id, LoginSession.user_id == caller.user_id
    ):
        raise NotFound("There is no such session, or it has ended.")


async def end_all(
    session: AsyncSession, caller: Caller, client: Client, *, except_this: bool
) -> int:
    """End the caller's sessions, and say how many. Raises SessionEnded."""
    await authorize(session, caller, lock="to change")
    others = [LoginSession.id != caller.session_id] if except_this else []
    return await end_on_record(session, client, LoginSession.user_id == caller.user_id, *others)


async def end_with_the_rest(session: AsyncSession, user: User) -> None:
    """End all the sessions of a user whose row is locked, as a part of something that is on record itself."""
    await end_where(session, LoginSession.user_id == user.id)


async def revoke(database: Database, client: Client, token: RefreshToken) -> None:
    """End the session that a refresh token belongs to, if there is one: a spent token will do (RFC 7009 section 2.1)."""
    # Read first: whoever sends nonsense does not get SQLite's one writer.
    family = select(LoginSession.id).where(LoginSession.family_hash == token.family_hash)
    async with database.reading() as session:
        session_id = await session.scalar(family)
    if session_id is not None:
        async with database.writing() as session:
            await end_on_record(session, client, LoginSession.id == session_id)


async def end_on_record(
    session: AsyncSession, client: Client, *conditions: ColumnElement[bool]
) -> int:
    """How many of the sessions went on until now."""
    ended = await end_where(session, *conditions)
    for session_id, user_id in ended:
        security_events.record(
            session, EventKind.SESSION_ENDED, client, user_id=user_id, session_id=session_id
        )
    return len(ended)


async def end_where(
    session: AsyncSession, *conditions: ColumnElement[bool]
) -> Sequence[Row[UUID, UUID]]:
    """The ids of the sessions that this has ended, and of their users."""
    now = datetime.now(UTC)
    ended = await session.execute(
        update(LoginSession)
        .where(*conditions, is_ongoing())
        # Its end is what it is pruned by.
        .values(ended_at=now, expires_at=now)
        .returning(LoginSession.id, LoginSession.user_id)
        .execution_options(synchronize_session=False)
    )
    return ended.all()
