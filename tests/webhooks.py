"""Webhooks in tests: their secrets, their events, and the senders of an endpoint."""

import json
from base64 import b64encode
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from db.database import Database
from db.models import OutboxRow
from domain import events
from domain.events import SUBSCRIPTIONS, EventType
from domain.observer import SILENT, Observer
from domain.webhooks import Endpoint, Webhooks
from domain.webhooks.send import EndpointSender, create_senders
from tests.fault_server import Request
from tests.outboxes import rows
from tests.users import UNKNOWN_ID

SECRET = f"whsec_{b64encode(b'a secret of webhooks for tests').decode()}"
FORMER_SECRET = f"whsec_{b64encode(b'a former secret of webhooks').decode()}"


def webhooks_to(*urls: str, secrets: tuple[str, ...] = (SECRET,)) -> Webhooks:
    endpoints = tuple(Endpoint(number, url) for number, url in enumerate(urls, start=1))
    return Webhooks(endpoints, secrets, frozenset(EventType))


def sender_to(
    webhooks: Webhooks, database: Database, observer: Observer = SILENT
) -> EndpointSender:
    [sender] = create_senders(database, webhooks, observer)
    return sender


async def publish(
    database: Database, webhooks: Webhooks, count: int = 1, type: EventType = EventType.USER_UPDATED
) -> None:
    """Publish events, each in a transaction of its own."""
    for _ in range(count):
        async with database.writing() as session:
            session.info[SUBSCRIPTIONS] = webhooks.subscriptions()
            events.publish(session, type, user_id=UUID(UNKNOWN_ID))


async def published(database: Database) -> list[dict[str, Any]]:
    """Return the events in the outbox, the oldest first."""
    return [json.loads(row.payload["body"]) for row in await rows(database)]


def ids_of(requests: list[Request]) -> list[str]:
    return [request.headers["webhook-id"] for request in requests]


def types_of(rows: Iterable[OutboxRow]) -> list[str]:
    """Return the types of the events of these rows, sorted."""
    return sorted(json.loads(row.payload["body"])["type"] for row in rows)
