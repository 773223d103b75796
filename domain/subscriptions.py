"""Subscriptions: what happens to an account from now on, for as long as the session is active.

While a process has subscribers, it reads the new security events of their users once a second. That
works on every database and through every pooler, and holds no connection. (PostgreSQL's NOTIFY in
each transaction took two thirds of the rate of writes.)
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models import SecurityEvent
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import CurrentUser, current_users
from domain.errors import QuotaExceeded, SessionEnded
from domain.ids import first_id_of
from domain.security_events import EventKind

Item = TypeVar("Item")

POLL_EVERY = timedelta(seconds=1)

# The sessions of users without a new event. Not every end has an event: a session also expires.
CHECK_EVERY = timedelta(seconds=5)

# Transactions do not commit in the order of their ids, and clocks of machines differ. No request
# takes as long (REQUEST_DEADLINE_SECONDS).
OVERLAP = timedelta(seconds=10)

# Events that a subscriber has not taken. Its stream then ends: it can read `securityEvents`.
MAX_PENDING = 100

MAX_STREAMS_PER_CONNECTION = 10
MAX_CONNECTIONS_PER_SESSION = 5

# SQLite accepts 32,766 parameters in a statement.
MAX_BATCH_SIZE = 5_000


# Events after which the user has and can do what they could before.
_NO_CHANGE = frozenset(
    (
        EventKind.WRONG_PASSWORD,
        EventKind.WRONG_CODE,
        EventKind.SIGN_IN_CODE_REQUESTED,
        EventKind.SECOND_FACTOR_REQUESTED,
        EventKind.PASSWORD_RESET_REQUESTED,
        EventKind.REFRESHED,
        EventKind.EXPORTED,
    )
)


@dataclass(frozen=True, slots=True)
class Change:
    """A user as they are now, and the new events of their account, the oldest first."""

    user: CurrentUser
    events: Sequence[SecurityEvent]

    @property
    def is_of_user(self) -> bool:
        """Tell whether what the user has, or can do, may be different: not after an attempt."""
        return not self.events or any(event.kind not in _NO_CHANGE for event in self.events)


class Subscriber:
    """A caller who is told of changes."""

    def __init__(self, caller: Caller, connection: object) -> None:
        self.caller = caller
        self.connection = connection
        self.since = datetime.now(UTC)
        #: Whether it was there when the events were last read, and so misses none that is new.
        self.is_established = False
        self._user: CurrentUser | None = None
        self._pending: deque[Change] = deque()
        self._is_full = False
        self._has_ended = False
        self._is_told = asyncio.Event()

    async def next_change(self) -> Change | None:
        """Wait for the next change. Return None if too many were not taken. Raises SessionEnded."""
        await self._is_told.wait()
        if self._has_ended:
            raise SessionEnded
        if self._is_full:
            return None
        change = self._pending.popleft()
        if not self._pending:
            self._is_told.clear()
        return change

    def tell(self, user: CurrentUser, events: Sequence[SecurityEvent]) -> None:
        """Add a change, if it is one."""
        has_changed = self._user not in (None, user)
        self._user = user
        if not (events or has_changed):
            return
        self._pending.append(Change(user, events))
        if sum(len(change.events) or 1 for change in self._pending) > MAX_PENDING:
            self._is_full = True
            self._pending.clear()
        self._is_told.set()

    def end(self) -> None:
        """End the stream: the session has ended."""
        self._has_ended = True
        self._pending.clear()
        self._is_told.set()


class Subscriptions:
    """The subscribers of a process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscribers: dict[Caller, list[Subscriber]] = {}
        self._has_subscribers = asyncio.Event()
        # The events that were read, which the overlap reads again.
        self._seen: frozenset[UUID] = frozenset()
        self._read_at = datetime.now(UTC)
        self._checked_at = 0.0

    @property
    def count(self) -> int:
        return sum(map(len, self._subscribers.values()))

    @contextmanager
    def subscribe(self, caller: Caller, connection: object) -> Iterator[Subscriber]:
        """Yield a subscriber that is told of changes while the block runs. A ``connection`` is a
        WebSocket or a request. Raises QuotaExceeded."""
        self._check_quota(caller, connection)
        subscriber = Subscriber(caller, connection)
        if not self._subscribers:
            self._seen, self._read_at = frozenset(), subscriber.since
        self._subscribers.setdefault(caller, []).append(subscriber)
        self._has_subscribers.set()
        try:
            yield subscriber
        finally:
            self._remove(subscriber)

    async def wait_for_subscribers(self) -> None:
        """Wait until there is a subscriber."""
        await self._has_subscribers.wait()

    async def poll(self) -> None:
        """Read what is new, tell the subscribers, and end those whose session has ended."""
        if not self._subscribers:
            return
        started, is_check_due = datetime.now(UTC), self._is_check_due()
        # Others may come while this reads.
        subscribers = {caller: list(found) for caller, found in self._subscribers.items()}
        async with self._database.reading() as session:
            user_ids = list({caller.user_id for caller in subscribers})
            events = await _events_since(session, user_ids, self._read_at - OVERLAP)
            new = _by_user(event for event in events if event.id not in self._seen)
            concerned = [caller for caller in subscribers if is_check_due or caller.user_id in new]
            users = await _users(session, concerned)
        # These first: what follows can take a while.
        for caller in concerned:
            if caller not in users:
                for subscriber in subscribers[caller]:
                    subscriber.end()
        for caller, user in users.items():
            for subscriber in subscribers[caller]:
                _tell(subscriber, user, new.get(caller.user_id, []))
        for subscriber in chain(*subscribers.values()):
            subscriber.is_established = True
        self._seen = frozenset(event.id for event in events)
        self._read_at = started
        if is_check_due:
            self._checked_at = time.monotonic()

    def _remove(self, subscriber: Subscriber) -> None:
        of_caller = self._subscribers[subscriber.caller]
        of_caller.remove(subscriber)
        if not of_caller:
            del self._subscribers[subscriber.caller]
        if not self._subscribers:
            self._has_subscribers.clear()

    def _is_check_due(self) -> bool:
        # The sleep between two polls may end a little early.
        waited = time.monotonic() - self._checked_at + POLL_EVERY.total_seconds() / 2
        return waited >= CHECK_EVERY.total_seconds()

    def _check_quota(self, caller: Caller, connection: object) -> None:
        streams = Counter(id(one.connection) for one in self._subscribers.get(caller, ()))
        if streams[id(connection)] >= MAX_STREAMS_PER_CONNECTION:
            raise QuotaExceeded(
                f"A connection can have {MAX_STREAMS_PER_CONNECTION} subscriptions. Complete one."
            )
        if not streams[id(connection)] and len(streams) >= MAX_CONNECTIONS_PER_SESSION:
            raise QuotaExceeded(
                f"A session can subscribe over {MAX_CONNECTIONS_PER_SESSION} connections."
                " Close one."
            )


def _tell(subscriber: Subscriber, user: CurrentUser, events: list[SecurityEvent]) -> None:
    if not subscriber.is_established:
        events = [event for event in events if event.created_at >= subscriber.since]
    subscriber.tell(user, events)


async def _events_since(
    session: AsyncSession, user_ids: Sequence[UUID], moment: datetime
) -> list[SecurityEvent]:
    """Return the users' events since a moment, the oldest first."""
    found: list[SecurityEvent] = []
    for some in _batches(user_ids):
        rows = await session.scalars(
            select(SecurityEvent).where(
                SecurityEvent.user_id.in_(some), SecurityEvent.id >= first_id_of(moment)
            )
        )
        found += rows
    return sorted(found, key=lambda event: event.id)


async def _users(session: AsyncSession, callers: Sequence[Caller]) -> dict[Caller, CurrentUser]:
    found: dict[Caller, CurrentUser] = {}
    for some in _batches(callers):
        found |= await current_users(session, some)
    return found


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), MAX_BATCH_SIZE):
        yield items[start : start + MAX_BATCH_SIZE]


def _by_user(events: Iterable[SecurityEvent]) -> dict[UUID, list[SecurityEvent]]:
    found: dict[UUID, list[SecurityEvent]] = {}
    for event in events:
        if event.user_id is not None:
            found.setdefault(event.user_id, []).append(event)
    return found
