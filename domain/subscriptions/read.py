"""What a poll reads."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from db.models import SecurityEvent
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import CurrentUser, current_users
from domain.ids import first_id_of
from domain.security_events import EventKind

Item = TypeVar("Item")

# SQLite accepts 32,766 parameters in a statement.
MAX_BATCH_SIZE = 5_000

# For each batch in one poll. Usually there are some dozens; more after an outage.
MAX_EVENTS = 10_000

# Those that this release knows. Workers of the next one may write others.
KINDS = frozenset(EventKind)


async def ids_since(session: AsyncSession, user_id: UUID, moment: datetime) -> frozenset[UUID]:
    """Return the ids of a user's events since a moment."""
    recent = _since(moment)
    return frozenset(await session.scalars(select(recent.id).where(recent.user_id == user_id)))


async def events_since(
    session: AsyncSession, user_ids: Sequence[UUID], moment: datetime
) -> list[SecurityEvent]:
    """Return the users' events since a moment, the oldest first: the newest of them, if there are
    too many."""
    found: list[SecurityEvent] = []
    recent = _since(moment)
    for some in _batches(user_ids):
        newest = select(recent).where(recent.user_id.in_(some)).order_by(recent.id.desc())
        found += await session.scalars(newest.limit(MAX_EVENTS))
    return sorted(found, key=lambda event: event.id)


def _since(moment: datetime) -> type[SecurityEvent]:
    """Return the events since a moment, of all users, to select from.

    They are read by their ids: SQLite would read all events that the users ever had.
    """
    recent = select(SecurityEvent).where(SecurityEvent.id >= first_id_of(moment)).cte("recent")
    return aliased(SecurityEvent, recent.prefix_with("MATERIALIZED"))


async def users_of(session: AsyncSession, callers: Sequence[Caller]) -> dict[Caller, CurrentUser]:
    """Return the users of those callers whose sessions are active."""
    found: dict[Caller, CurrentUser] = {}
    for some in _batches(callers):
        found |= await current_users(session, some)
    return found


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), MAX_BATCH_SIZE):
        yield items[start : start + MAX_BATCH_SIZE]


def by_user(
    events: Iterable[SecurityEvent], seen: frozenset[UUID]
) -> dict[UUID, list[SecurityEvent]]:
    """Return the new events of each user, without those of a newer release."""
    found: dict[UUID, list[SecurityEvent]] = {}
    for event in events:
        if event.id not in seen and event.user_id is not None and event.kind in KINDS:
            found.setdefault(event.user_id, []).append(event)
    return found
