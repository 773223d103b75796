"""Send the webhooks of the outbox."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial

from db.database import Database
from db.models import OutboxRow
from domain import events, outbox
from domain.http import HttpClient, RequestFailed, Response
from domain.observer import SILENT, Observer
from domain.outbox import NotDelivered, OutboxKind
from domain.webhooks import signature
from domain.webhooks.endpoints import Endpoint, Webhooks

logger = logging.getLogger("gatehouse")

# Of one request (Standard Webhooks recommends 15 to 30 seconds).
TIMEOUT = timedelta(seconds=15)

# At the same time, from one process, to all endpoints together. Each endpoint gets one at a time.
MAX_REQUESTS = 4

# Nothing of an answer is used but its status and Retry-After.
MAX_BODY_BYTES = 64 * 1024

# The answer of an endpoint that wants no more webhooks, and those of one that is overloaded.
GONE = 410
OVERLOADED = (429, 502, 504)

# How long an overloaded endpoint is left alone if it does not say how long, and at most.
PAUSE = timedelta(minutes=1)
MAX_RETRY_AFTER = timedelta(hours=24)


class EndpointGone(NotDelivered):
    """The endpoint wants no more webhooks."""


@dataclass(slots=True)
class EndpointSender:
    """Sends the webhooks of one endpoint, so that no other waits for it."""

    database: Database
    endpoint: Endpoint
    secrets: tuple[str, ...] = field(repr=False)
    slots: asyncio.Semaphore
    observer: Observer = SILENT
    #: Until the next start.
    is_gone: bool = False
    #: By `time.monotonic`.
    paused_until: float = 0

    @property
    def queue(self) -> outbox.Queue:
        return events.queue(OutboxKind.WEBHOOK, self.endpoint.target)

    async def send_due(self) -> None:
        """Send what is due, until nothing is or the endpoint wants no more."""
        if self._takes_more():
            observe = partial(self.observer.webhook_waits, self.endpoint.number)
            await outbox.send_due(self.database, self.queue, self._send_batch, observe)

    def _takes_more(self) -> bool:
        return not self.is_gone and time.monotonic() >= self.paused_until

    async def _send_batch(self, rows: list[OutboxRow], lease_ends: float) -> bool:
        client = new_client()
        try:
            await outbox.send_each(
                self.database,
                rows,
                partial(self._send, client),
                can_send=lambda: self._takes_more() and outbox.has_time(lease_ends, TIMEOUT),
                slots=self.slots,
            )
        finally:
            await client.close()
        return self._takes_more()

    async def _send(self, client: HttpClient, row: OutboxRow) -> None:
        outcome = await outbox.deliver(
            self.database,
            self.queue,
            row,
            partial(self._attempt, client),
            name=f"Webhook {row.id} to endpoint {self.endpoint.number}",
        )
        self.observer.webhook_ended(self.endpoint.number, outcome)

    async def _attempt(self, client: HttpClient, row: OutboxRow) -> None:
        body = row.payload["body"].encode()
        try:
            await post(client, self.endpoint, self.secrets, str(row.id), body)
        except EndpointGone:
            self.is_gone = True
            logger.error(
                "Endpoint %d of WEBHOOKS answered %d: it gets no webhooks until the next start.",
                self.endpoint.number,
                GONE,
            )
            raise
        except NotDelivered as error:
            self.paused_until = time.monotonic() + error.retry_after.total_seconds()
            raise


async def post(
    client: HttpClient, endpoint: Endpoint, secrets: tuple[str, ...], id: str, body: bytes
) -> None:
    """Call an endpoint. Raises NotDelivered unless it answers with 2xx, EndpointGone for 410."""
    signed = signature.headers(id, int(time.time()), body, secrets)
    try:
        response = await client.send(
            "POST",
            endpoint.url,
            headers={"Content-Type": "application/json", **signed},
            content=body,
        )
    except RequestFailed as error:
        raise NotDelivered(str(error)) from None
    if not 200 <= response.status < 300:
        raise _error_of(response)


def _error_of(response: Response) -> NotDelivered:
    reason = f"answered with status {response.status}"
    if response.status == GONE:
        return EndpointGone(reason)
    wait = _retry_after(response.headers)
    if response.status in OVERLOADED:
        wait = max(wait, PAUSE)
    return NotDelivered(reason, retry_after=wait)


def _retry_after(headers: Mapping[str, str]) -> timedelta:
    """Return how long the header asks to wait, in seconds or until a date (RFC 9110 section
    10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), MAX_RETRY_AFTER.total_seconds()))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta()
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(until - datetime.now(UTC), timedelta()), MAX_RETRY_AFTER)


def new_client() -> HttpClient:
    return HttpClient(timeout=TIMEOUT.total_seconds(), max_body=MAX_BODY_BYTES, cuts_body=True)


def create_senders(
    database: Database, webhooks: Webhooks, observer: Observer
) -> list[EndpointSender]:
    """Create the senders of all endpoints, which share the slots."""
    slots = asyncio.Semaphore(MAX_REQUESTS)
    return [
        EndpointSender(database, endpoint, webhooks.secrets, slots, observer)
        for endpoint in webhooks.endpoints
    ]
