"""End sessions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, false, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import LoginSession, User
from domain import events, security_events
from domain.access_tokens.tokens import Caller
from domain.devices import Device
from domain.errors import NotFound, SessionEnded
from domain.events import EventType
from domain.security_events import EventKind
from domain.services import Services
from domain.sessions.active import is_active, require_active
from domain.sessions.refresh_tokens import RefreshToken


@retried
async def log_out(
    services: Services,
    device: Device,
    caller: Caller | None,
    refresh_token: RefreshToken | None = None,
) -> UUID:
    """End the session of an access token, of a refresh token, or of both, and return the id of one
    that ended. A used refresh token works as well (RFC 7009 section 2.1).

    Raises SessionEnded if none of them is active.
    """
    named: list[ColumnElement[bool]] = []
    if caller:
        named.append(LoginSession.id == caller.session_id)
    if refresh_token:
        named.append(LoginSession.family_hash == refresh_token.family_hash)
    active = select(LoginSession.id).where(or_(false(), *named), is_active())
    # Read first: made-up tokens must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        ids = (await session.scalars(active)).all()
    if not ids:
        raise SessionEnded
    async with services.database.writing() as session:
        if not await end_and_record(session, device, LoginSession.id.in_(ids)):
            raise SessionEnded
    return caller.session_id if caller and caller.session_id in ids else ids[0]


@retried
async def end(services: Services, device: Device, caller: Caller, session_id: UUID) -> None:
    """End one of the caller's sessions. Raises SessionEnded, or NotFound if they have no such
    active session."""
    no_such_session = NotFound("You have no active session with this id.")
    own = (LoginSession.id == session_id, LoginSession.user_id == caller.user_id)
    # Read first: made-up ids must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        await require_active(session, caller, as_owner=True)
        if await session.scalar(select(LoginSession.id).where(*own, is_active())) is None:
            raise no_such_session
    async with services.database.writing() as session:
        await require_active(session, caller, as_owner=True)
        if not await end_and_record(session, device, *own):
            raise no_such_session


@retried
async def end_all(services: Services, device: Device, caller: Caller, *, except_this: bool) -> int:
    """End the caller's sessions and return how many ended. Raises SessionEnded."""
    async with services.database.reading() as session:
        await require_active(session, caller, as_owner=True)
    async with services.database.writing() as session:
        await require_active(session, caller, lock="to change", as_owner=True)
        others = [LoginSession.id != caller.session_id] if except_this else []
        return await end_and_record(session, device, _is_of(caller.user_id), *others)


async def end_all_of(session: AsyncSession, user: User, *, actor_id: UUID | None = None) -> int:
    """End all sessions of a user whose row is locked, and those in which they impersonate others,
    as part of a change that records its own event. Return how many ended. ``actor_id`` is the user
    who did it, if that was not the owner."""
    return len(await _end_matching(session, _is_of(user.id), actor_id=actor_id))


async def end_and_record_all_of(
    session: AsyncSession, device: Device, user: User, *, actor_id: UUID | None, reason: str
) -> int:
    """End what `end_all_of` ends, record each session, and return how many ended. ``actor_id`` is
    the user who did it, if that was not the owner."""
    own, of_others = LoginSession.user_id == user.id, LoginSession.impersonator_id == user.id
    ended = await end_and_record(session, device, own, actor_id=actor_id, detail=reason)
    # The reason is about this user, and not for those whom they impersonate.
    return ended + await end_and_record(session, device, of_others, actor_id=actor_id)


async def end_impersonations(session: AsyncSession, device: Device, user_id: UUID) -> None:
    """End the sessions in which a user impersonates others or is impersonated."""
    is_impersonated = and_(
        LoginSession.user_id == user_id, LoginSession.impersonator_id.is_not(None)
    )
    await end_and_record(
        session, device, or_(LoginSession.impersonator_id == user_id, is_impersonated)
    )


async def end_and_record(
    session: AsyncSession,
    device: Device,
    *conditions: ColumnElement[bool],
    actor_id: UUID | None = None,
    detail: str | None = None,
) -> int:
    """End the active sessions that match, record each, and return how many ended."""
    ended = await _end_matching(session, *conditions, actor_id=actor_id)
    for session_id, user_id in ended:
        security_events.record(
            session,
            EventKind.SESSION_ENDED,
            device,
            user_id=user_id,
            session_id=session_id,
            actor_id=actor_id,
            detail=detail,
        )
    return len(ended)


def _is_of(user_id: UUID) -> ColumnElement[bool]:
    """Return the condition that a session is one of the user, or one in which they impersonate
    another user."""
    # Each by its own index: for an OR, SQLite may read all active sessions.
    of_user = (LoginSession.user_id == user_id, LoginSession.impersonator_id == user_id)
    return LoginSession.id.in_(
        union_all(*(select(LoginSession.id).where(each, is_active()) for each in of_user))
    )


async def _end_matching(
    session: AsyncSession, *conditions: ColumnElement[bool], actor_id: UUID | None = None
) -> Sequence[Row[UUID, UUID]]:
    """Return the ids of the sessions that this ended, each with the id of its user."""
    now = datetime.now(UTC)
    ended = await session.execute(
        update(LoginSession)
        .where(*conditions, is_active())
        # Pruning goes by the expiry.
        .values(ended_at=now, expires_at=now)
        .returning(LoginSession.id, LoginSession.user_id)
        .execution_options(synchronize_session=False)
    )
    rows = ended.all()
    for session_id, user_id in rows:
        events.publish(
            session,
            EventType.SESSION_ENDED,
            user_id=user_id,
            session_id=session_id,
            actor_id=actor_id,
        )
    return rows
