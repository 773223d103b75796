"""What a poll reads."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

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
    found = await session.scalars(
        select(SecurityEvent.id).where(
            SecurityEvent.user_id == user_id, SecurityEvent.id >= first_id_of(moment)
        )
    )
    return frozenset(found)


async def events_since(
    session: AsyncSession, user_ids: Sequence[UUID], moment: datetime
) -> list[SecurityEvent]:
    """Return the users' events since a moment, the oldest first: the newest of them, if there are
    too many."""
    found: list[SecurityEvent] = []
    for some in _batches(user_ids):
        rows = await session.scalars(
            select(SecurityEvent)
            .where(SecurityEvent.user_id.in_(some), SecurityEvent.id >= first_id_of(moment))
            .order_by(SecurityEvent.id.desc())
            .limit(MAX_EVENTS)
        )
        found += rows
    return sorted(found, key=lambda event: event.id)


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
