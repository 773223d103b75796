"""Events: what webhooks and the hook `on_event` are told.

An event is written into the outbox in the transaction of what happened, once for each subscription,
and delivered after the commit, at least once. It has ids alone, which a receiver reads the rest by.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import outbox
from domain.outbox import OutboxKind, Queue

# The schedule that Standard Webhooks recommends, after a first attempt at once.
BACKOFF = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)

# Longer than all of it, also if a receiver asks for more time.
LIFETIME = timedelta(days=6)

# The key in `session.info` of a transaction for the subscriptions, and that for what it publishes.
SUBSCRIPTIONS = "subscriptions"
_PUBLISHED = "published"


class EventType(StrEnum):
    USER_REGISTERED = "user.registered"
    USER_VERIFIED = "user.verified"
    USER_UPDATED = "user.updated"
    USER_DELETED = "user.deleted"
    USER_DISABLED = "user.disabled"
    USER_ENABLED = "user.enabled"
    SESSION_STARTED = "session.started"
    SESSION_ENDED = "session.ended"
    CREDENTIAL_CHANGED = "credential.changed"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an account. ``session_id`` is the session concerned, or in which
    it happened, and ``actor_id`` the user who did it, if that is another one."""

    type: EventType
    user_id: UUID
    session_id: UUID | None
    actor_id: UUID | None
    occurred_at: datetime

    def body(self) -> str:
        """Return the event as JSON, with the three members that Standard Webhooks recommends."""
        at = self.occurred_at.astimezone(UTC).isoformat(timespec="milliseconds")
        at = at.replace("+00:00", "Z")
        ids = {"userId": self.user_id, "sessionId": self.session_id, "actorId": self.actor_id}
        data = {name: str(id) for name, id in ids.items() if id is not None}
        event = {"type": self.type, "timestamp": at, "data": {**data, "occurredAt": at}}
        return json.dumps(event, separators=(",", ":"))

    @classmethod
    def parse(cls, body: str) -> Self:
        event = json.loads(body)
        data = event["data"]
        return cls(
            EventType(event["type"]),
            UUID(data["userId"]),
            _id_in(data, "sessionId"),
            _id_in(data, "actorId"),
            datetime.fromisoformat(data["occurredAt"]),
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """A receiver, and the types of the events that it is told about."""

    kind: OutboxKind
    target: str | None
    types: frozenset[EventType]


def queue(kind: OutboxKind, target: str | None = None) -> Queue:
    """Return the queue of the events for a receiver."""
    # Few at a time: each may take as long as the timeout.
    return Queue(
        kind,
        target,
        batch_size=5,
        lease=timedelta(seconds=120),
        backoff=BACKOFF,
        jitter=0.1,
        keeps_failed=True,
    )


def publish(
    session: AsyncSession,
    type: EventType,
    *,
    user_id: UUID,
    session_id: UUID | None = None,
    actor_id: UUID | None = None,
) -> None:
    """Add an event to the transaction of what happened, for all who have subscribed to it. The same
    event is added once."""
    subscriptions: Iterable[Subscription] = session.info.get(SUBSCRIPTIONS, ())
    receivers = [subscription for subscription in subscriptions if type in subscription.types]
    if not receivers or not _is_new(session, (type, user_id, session_id)):
        return
    now = datetime.now(UTC)
    body = Event(type, user_id, session_id, actor_id, now).body()
    for receiver in receivers:
        outbox.add(
            session,
            receiver.kind,
            # As text: the signature is that of these bytes, in a later release too.
            {"body": body},
            target=receiver.target,
            expires_at=now + LIFETIME,
        )


def _is_new(session: AsyncSession, event: tuple[EventType, UUID, UUID | None]) -> bool:
    published: set[tuple[EventType, UUID, UUID | None]] = session.info.setdefault(_PUBLISHED, set())
    if event in published:
        return False
    published.add(event)
    return True


def _id_in(data: dict[str, str], name: str) -> UUID | None:
    return UUID(data[name]) if name in data else None
