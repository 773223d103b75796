"""`gatehouse webhooks`: see what was not delivered, deliver it again, and test the endpoints."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import click

from api.database import create_engine_from
from api.webhooks import create_webhooks
from cli.usage import examples
from db.database import Database
from db.models import OutboxRow
from domain import events, outbox
from domain.ids import new_id
from domain.outbox import OutboxKind
from domain.webhooks import Endpoint, Webhooks
from settings import Settings, load_settings

# Of events: to webhooks, and to the hook `on_event`.
KINDS = (OutboxKind.WEBHOOK, OutboxKind.HOOK)

MAX_LISTED = 100

TEST_TYPE = "webhook.test"


@click.group(
    no_args_is_help=False,
    epilog=examples(
        "gatehouse webhooks test",
        "gatehouse webhooks failed",
        "gatehouse webhooks retry 019ac1f0-7b1e-7c53-9a51-0d2b8a4f1c77",
    ),
)
def webhooks() -> None:
    """See which events were not delivered, deliver them again, and test the endpoints."""


@webhooks.command(epilog=examples("gatehouse webhooks failed"))
def failed() -> None:
    """List the events that were given up, the newest first.

    Each line has the id, the time, the type, the receiver and why the last attempt failed. Events
    are kept for a week after they happened.
    """
    settings = load_settings()
    rows = asyncio.run(_failed(settings))
    for row in rows:
        print(_line(row, _webhooks(settings)))
    print(f"Gatehouse: {len(rows) or 'no'} failed event{'' if len(rows) == 1 else 's'}.")


@webhooks.command(epilog=examples("gatehouse webhooks retry 019ac1f0-7b1e-7c53-9a51-0d2b8a4f1c77"))
@click.argument("id", metavar="ID", type=click.UUID)
def retry(id: UUID) -> None:
    """Deliver a failed event again, with all its attempts.

    A running server sends it within a second. It has the same id as before, so a receiver that has
    it ignores it.
    """
    if not asyncio.run(_retry(load_settings(), id)):
        raise SystemExit("gatehouse: no failed event has this id")
    print("Gatehouse: the event is due.")


@webhooks.command(epilog=examples("gatehouse webhooks test"))
def test() -> None:
    """Send a test event to each endpoint.

    Sends it at once, signed as all are. Prints what each endpoint answers, and exits with 1 unless
    all accept it.
    """
    found = _webhooks(load_settings())
    if not found.endpoints:
        raise SystemExit("gatehouse: WEBHOOKS is not set")
    reasons = asyncio.run(_test(found))
    for endpoint, reason in zip(found.endpoints, reasons, strict=True):
        print(f"endpoint {endpoint.number}: {reason or 'accepted'}")
    if any(reasons):
        raise SystemExit("gatehouse: not every endpoint accepted the event")


def _webhooks(settings: Settings) -> Webhooks:
    try:
        return create_webhooks(settings)
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None


async def _failed(settings: Settings) -> Sequence[OutboxRow]:
    database = Database(create_engine_from(settings))
    try:
        async with database.reading() as session:
            return await outbox.failed(session, KINDS, limit=MAX_LISTED)
    finally:
        await database.close()


async def _retry(settings: Settings, id: UUID) -> bool:
    database = Database(create_engine_from(settings))
    try:
        return await outbox.retry_now(database, KINDS, id, lifetime=events.LIFETIME)
    finally:
        await database.close()


async def _test(webhooks: Webhooks) -> list[str | None]:
    """Return for each endpoint why it did not accept the event, or None."""
    return await asyncio.gather(
        *(_test_endpoint(endpoint, webhooks.secrets) for endpoint in webhooks.endpoints)
    )


async def _test_endpoint(endpoint: Endpoint, secrets: tuple[str, ...]) -> str | None:
    # Imported here: it takes time, and no other command needs it.
    from domain.webhooks.send import new_client, post

    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = json.dumps({"type": TEST_TYPE, "timestamp": at, "data": {"occurredAt": at}})
    client = new_client()
    try:
        await post(client, endpoint, secrets, str(new_id()), body.encode())
    except outbox.NotDelivered as error:
        return error.reason
    finally:
        await client.close()
    return None


def _line(row: OutboxRow, webhooks: Webhooks) -> str:
    number = webhooks.number_of(row.target)
    receiver = f"endpoint {number}" if number else "an endpoint that is not in WEBHOOKS"
    if row.kind == OutboxKind.HOOK:
        receiver = "on_event"
    event = json.loads(row.payload["body"])["type"]
    return f"{row.id}  {row.created_at:%Y-%m-%d %H:%M:%S}  {event}  {receiver}: {row.error}"
