"""Security events: what happened to an account, for its owner to read (OWASP Authentication Cheat Sheet, "Logging and
Monitoring")."""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import SecurityEvent
from domain.devices import Client
from domain.ids import new_id
from domain.pagination import Page, Window, newest_first


class EventKind(StrEnum):
    REGISTERED = "REGISTERED"
    LOGGED_IN = "LOGGED_IN"
    WRONG_PASSWORD = "WRONG_PASSWORD"
    REFRESHED = "REFRESHED"
    TOKEN_REUSED = "TOKEN_REUSED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"
    SESSION_ENDED = "SESSION_ENDED"
    DELETED = "DELETED"


def record(
    session: AsyncSession,
    kind: EventKind,
    client: Client,
    *,
    user_id: UUID | None,
    session_id: UUID | None = None,
) -> None:
    """In the transaction of what happened. ``user_id`` is None for a login that was nobody's; ``session_id`` is the login
    session that it concerns, if it concerns one."""
    session.add(
        SecurityEvent(
            id=new_id(),
            user_id=user_id,
            session_id=session_id,
            kind=kind,
            client=client.name,
            ip=client.ip,
            created_at=datetime.now(UTC),
        )
    )


async def latest(
    session: AsyncSession,
    user_id: UUID,
    window: Window,
    *,
    kinds: Collection[EventKind] | None = None,
) -> Page[SecurityEvent]:
    """A page of what happened to one account, newest first; of these kinds alone, if there are any."""
    events = select(SecurityEvent).where(SecurityEvent.user_id == user_id)
    if kinds is not None:
        events = events.where(SecurityEvent.kind.in_(kinds))
    found = await session.scalars(newest_first(events, SecurityEvent.id, window))
    return Page.cut(found.all(), window)
