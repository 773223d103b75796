"""Subscriptions: what happens to an account from now on, for as long as the session is active.

While a process has subscribers, it reads the new security events of their users once a second. That
works on every database and through every pooler, and holds no connection. (PostgreSQL's NOTIFY in
each transaction took two thirds of the rate of writes.)
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.clock import read_clock
from db.database import Database
from db.models import SecurityEvent
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import CurrentUser, current_users
from domain.errors import Overloaded, QuotaExceeded, SessionEnded
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

# A stream keeps the plan of its operation, up to 1.5 KiB for a field. A page's subscription has
# some dozens.
MAX_FIELDS_PER_USER = 2_000
MAX_FIELDS = 100_000

# SQLite accepts 32,766 parameters in a statement.
MAX_BATCH_SIZE = 5_000

# For each batch in one poll. Usually there are some dozens; more after an outage.
MAX_EVENTS = 10_000

# Those that this release knows. Workers of the next one may write others.
KINDS = frozenset(EventKind)

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


class Connection(Protocol):
    """What subscriptions come by: a WebSocket or a response."""

    def cut_off_soon(self) -> None:
        """Close it in a moment, even if its client does not read: the session has ended."""


class Subscriber:
    """A caller who is told of changes."""

    def __init__(self, caller: Caller, connection: Connection, *, fields: int) -> None:
        self.caller = caller
        self.connection = connection
        self.fields = fields
        #: The events that were there when it began, until all of them count as seen.
        self.known: frozenset[UUID] = frozenset()
        self._user: CurrentUser | None = None
        self._pending: deque[Change] = deque()
        self._is_full = False
        self._has_ended = False
        self._is_told = asyncio.Event()

    def begin(self, user: CurrentUser) -> None:
        """Tell of what is different from this user from now on."""
        self._user = user

    async def next_change(self) -> Change | None:
        """Wait for the next change. Return None if too many were not taken. Raises SessionEnded."""
        await self._is_told.wait()
        self.require_active()
        if self._is_full:
            return None
        change = self._pending.popleft()
        if not self._pending:
            self._is_told.clear()
        return change

    def forget(self, known: frozenset[UUID]) -> None:
        """Tell nothing of these events, which are from before the subscription."""
        self.known = known
        told, self._pending = self._pending, deque()
        self._is_told.clear()
        for change in told:
            self.tell(change.user, change.events)

    def require_active(self) -> None:
        """Raise SessionEnded if the session has ended since the last change."""
        if self._has_ended:
            raise SessionEnded

    def tell(self, user: CurrentUser, events: Sequence[SecurityEvent]) -> None:
        """Add a change, if it is one."""
        events = [event for event in events if event.id not in self.known]
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
        self.connection.cut_off_soon()


class Subscriptions:
    """The subscribers of a process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._subscribers: dict[Caller, list[Subscriber]] = {}
        self._fields: Counter[UUID] = Counter()
        self._has_subscribers = asyncio.Event()
        # The events that were read, which the overlap reads again.
        self._seen: frozenset[UUID] = frozenset()
        # The time of the database, which all processes share, at the last read.
        self._read_at: datetime | None = None
        self._checked_at = 0.0

    @property
    def count(self) -> int:
        return sum(map(len, self._subscribers.values()))

    @asynccontextmanager
    async def subscribe(
        self, caller: Caller, connection: Connection, *, fields: int
    ) -> AsyncIterator[Subscriber]:
        """Yield a subscriber that is told of changes while the block runs. ``fields`` is the size
        of the operation that is executed for each. Raises QuotaExceeded or Overloaded."""
        self._check_quota(caller, connection, fields)
        subscriber = Subscriber(caller, connection, fields=fields)
        self._subscribers.setdefault(caller, []).append(subscriber)
        self._fields[caller.user_id] += fields
        try:
            subscriber.forget(await self._ids_of(caller.user_id))
            self._has_subscribers.set()
            yield subscriber
        finally:
            self._remove(subscriber)

    async def _ids_of(self, user_id: UUID) -> frozenset[UUID]:
        """Return the ids of the user's events that the next poll reads and that are there now."""
        async with self._database.reading() as session:
            now = self._read_at or await read_clock(session)
            ids = await _ids_since(session, user_id, now - OVERLAP)
        self._read_at = self._read_at or now
        return ids

    async def wait_for_subscribers(self) -> None:
        """Wait until there is a subscriber."""
        await self._has_subscribers.wait()

    async def poll(self) -> None:
        """Read what is new, tell the subscribers, and end those whose session has ended."""
        if not self._subscribers:
            return
        is_check_due = self._is_check_due()
        async with self._database.reading() as session:
            now = await read_clock(session)
            read_at = self._read_at or now
            # A clock that was set back begins anew, with nothing that is new.
            is_set_back = now < read_at - OVERLAP
            before = list(chain(*self._subscribers.values()))
            user_ids = list({subscriber.caller.user_id for subscriber in before})
            since = (now if is_set_back else read_at) - OVERLAP
            events = await _events_since(session, user_ids, since)
            new = _by_user(events if not is_set_back else [], self._seen)
            # Also those who have come meanwhile: these events are not read as new again.
            concerned = [
                caller for caller in self._subscribers if is_check_due or caller.user_id in new
            ]
            users = await _users(session, concerned)
        self._tell(concerned, users, new)
        for subscriber in before:
            subscriber.known = frozenset()
        self._seen = frozenset(event.id for event in events)
        self._read_at = now if is_set_back else max(read_at, now)
        if is_check_due:
            self._checked_at = time.monotonic()

    def _tell(
        self,
        concerned: Iterable[Caller],
        users: Mapping[Caller, CurrentUser],
        new: Mapping[UUID, list[SecurityEvent]],
    ) -> None:
        # These first: what follows can take a while.
        for caller in concerned:
            if caller not in users:
                for subscriber in self._subscribers.get(caller, ()):
                    subscriber.end()
        for caller, user in users.items():
            for subscriber in self._subscribers.get(caller, ()):
                subscriber.tell(user, new.get(caller.user_id, []))

    def _remove(self, subscriber: Subscriber) -> None:
        caller = subscriber.caller
        self._subscribers[caller].remove(subscriber)
        self._fields[caller.user_id] -= subscriber.fields
        if not self._subscribers[caller]:
            del self._subscribers[caller]
        if not self._fields[caller.user_id]:
            del self._fields[caller.user_id]
        if not self._subscribers:
            self._has_subscribers.clear()
            self._seen, self._read_at = frozenset(), None

    def _is_check_due(self) -> bool:
        # The sleep between two polls may end a little early.
        waited = time.monotonic() - self._checked_at + POLL_EVERY.total_seconds() / 2
        return waited >= CHECK_EVERY.total_seconds()

    def _check_quota(self, caller: Caller, connection: Connection, fields: int) -> None:
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
        if self._fields[caller.user_id] + fields > MAX_FIELDS_PER_USER:
            raise QuotaExceeded(
                f"Your subscriptions can select {MAX_FIELDS_PER_USER} fields together."
                " Complete one."
            )
        if self._fields.total() + fields > MAX_FIELDS:
            raise Overloaded("Too many subscriptions are open. Try again later.")


async def _ids_since(session: AsyncSession, user_id: UUID, moment: datetime) -> frozenset[UUID]:
    """Return the ids of a user's events since a moment."""
    found = await session.scalars(
        select(SecurityEvent.id).where(
            SecurityEvent.user_id == user_id, SecurityEvent.id >= first_id_of(moment)
        )
    )
    return frozenset(found)


async def _events_since(
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


async def _users(session: AsyncSession, callers: Sequence[Caller]) -> dict[Caller, CurrentUser]:
    found: dict[Caller, CurrentUser] = {}
    for some in _batches(callers):
        found |= await current_users(session, some)
    return found


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), MAX_BATCH_SIZE):
        yield items[start : start + MAX_BATCH_SIZE]


def _by_user(
    events: Iterable[SecurityEvent], seen: frozenset[UUID]
) -> dict[UUID, list[SecurityEvent]]:
    """Return the new events of each user, without those of a newer release."""
    found: dict[UUID, list[SecurityEvent]] = {}
    for event in events:
        if event.id not in seen and event.user_id is not None and event.kind in KINDS:
            found.setdefault(event.user_id, []).append(event)
    return found
