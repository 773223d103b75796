"""The subscribers of a process, and what is told to them."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from db.clock import read_clock
from db.database import Database
from db.models import SecurityEvent
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import CurrentUser
from domain.errors import Overloaded, QuotaExceeded
from domain.subscriptions.read import by_user, events_since, ids_since, users_of
from domain.subscriptions.subscriber import Connection, Subscriber

POLL_EVERY = timedelta(seconds=1)

# The sessions of users without a new event. Not every end has an event: a session also expires.
CHECK_EVERY = timedelta(seconds=5)

# Transactions do not commit in the order of their ids, and clocks of machines differ. No request
# takes as long (REQUEST_DEADLINE_SECONDS).
OVERLAP = timedelta(seconds=10)

MAX_STREAMS_PER_CONNECTION = 10
MAX_CONNECTIONS_PER_SESSION = 5

# A stream keeps the plan of its operation, up to 1.5 KiB for a field. A page's subscription has
# some dozens.
MAX_FIELDS_PER_USER = 2_000
MAX_FIELDS = 100_000


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
            ids = await ids_since(session, user_id, now - OVERLAP)
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
            events = await events_since(session, user_ids, since)
            new = by_user(events if not is_set_back else [], self._seen)
            # Also those who have come meanwhile: these events are not read as new again.
            concerned = [
                caller for caller in self._subscribers if is_check_due or caller.user_id in new
            ]
            users = await users_of(session, concerned)
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
