"""Send what is due in a queue of the outbox."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

from db.cancellation import raise_if_cancelled
from db.database import Database
from db.models import OutboxRow
from domain.observer import DeliveryOutcome
from domain.outbox.messages import claim, give_up, longest_wait, mark_done, release, retry_later
from domain.outbox.queue import Queue

logger = logging.getLogger("gatehouse")

# How long the message under way may take when the process stops.
STOP_TIMEOUT = timedelta(seconds=5)


class NotDelivered(Exception):
    """An attempt failed, for a reason that is logged and stored. The message is tried again, not
    before ``retry_after``."""

    def __init__(self, reason: str, *, retry_after: timedelta = timedelta()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


async def send_due(
    database: Database,
    queue: Queue,
    send_batch: Callable[[list[OutboxRow], float], Awaitable[bool]],
    observe_wait: Callable[[float], None],
) -> None:
    """Send what is due, batch by batch, until nothing is or ``send_batch`` returns False.

    It is called with the messages of a claim and with the end of their lease, as of
    `time.monotonic`. ``observe_wait`` is told for how many seconds the oldest message has been due.
    """
    while await _is_any_due(database, queue, observe_wait):
        # Before the claim, so that it ends here before it does for others.
        lease_ends = time.monotonic() + queue.lease.total_seconds()
        rows = await claim(database, queue)
        if not rows or not await send_batch(rows, lease_ends):
            return


async def _is_any_due(
    database: Database, queue: Queue, observe_wait: Callable[[float], None]
) -> bool:
    """Look before a claim: on SQLite, a claim waits for other writers."""
    raise_if_cancelled()
    async with database.reading() as session:
        waited = await longest_wait(session, queue)
    observe_wait(waited.total_seconds() if waited else 0)
    return waited is not None


async def send_each(
    database: Database,
    rows: Iterable[OutboxRow],
    send: Callable[[OutboxRow], Coroutine[Any, Any, None]],
    *,
    can_send: Callable[[], bool],
    slots: AbstractAsyncContextManager[Any] | None = None,
) -> None:
    """Send one message after the other, each in one of the ``slots``, and give back those that are
    left when ``can_send`` returns False."""
    waiting = deque(rows)
    try:
        while waiting:
            async with slots or nullcontext():
                # Now: it may have waited for its slot.
                if not can_send():
                    break
                await _to_its_end(send(waiting.popleft()))
    finally:
        await release(database, waiting)


def has_time(lease_ends: float, timeout: timedelta) -> bool:
    """Return whether a lease lasts for another message. After it, another process would send the
    message too."""
    return lease_ends - time.monotonic() > timeout.total_seconds()


async def deliver(
    database: Database,
    queue: Queue,
    row: OutboxRow,
    attempt: Callable[[OutboxRow], Awaitable[None]],
    *,
    name: str,
) -> DeliveryOutcome:
    """Try to deliver a message, and mark it. An attempt that fails raises NotDelivered, or any
    other error. ``name`` is what the log calls the message."""
    if row.expires_at <= datetime.now(UTC):
        # It would be of no use any more.
        return await _give_up(database, queue, row, "expired", name)
    try:
        await attempt(row)
    except Exception as error:
        # Without its words, which may quote anything.
        failed = error if isinstance(error, NotDelivered) else NotDelivered(type(error).__name__)
    else:
        await mark_done(database, row)
        return DeliveryOutcome.SENT
    if not await retry_later(database, queue, row, failed.reason, at_least=failed.retry_after):
        return await _give_up(database, queue, row, failed.reason, name)
    logger.warning("%s was not delivered: %s.", name, failed.reason)
    return DeliveryOutcome.RETRIED


async def _give_up(
    database: Database, queue: Queue, row: OutboxRow, error: str, name: str
) -> DeliveryOutcome:
    await give_up(database, queue, row, error)
    logger.error("%s was not delivered and is given up: %s.", name, error)
    return DeliveryOutcome.FAILED


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Run the work to its end although this task is cancelled, for ``STOP_TIMEOUT``. Otherwise each
    restart could send a message twice."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=STOP_TIMEOUT.total_seconds())
        task.cancel()
        raise
