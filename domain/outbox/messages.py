"""The messages of the outbox: written, claimed, and marked."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, String, Update, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.clock import DatabaseTime, read_clock
from db.database import WRITES_OUTBOX, Database, retried
from db.models import OutboxRow
from domain.ids import new_id
from domain.outbox.queue import OutboxKind, Queue

_MAX_ERROR_LENGTH = 200


def add(
    session: AsyncSession,
    kind: OutboxKind,
    payload: dict[str, Any],
    *,
    expires_at: datetime,
    target: str | None = None,
    is_done: bool = False,
) -> OutboxRow:
    """Add a message to the transaction, to be sent after its commit and until it expires.

    The payload must not contain anything that a reader of the database could use. A message that
    ``is_done`` is kept to be shown, and never sent.
    """
    now = datetime.now(UTC)
    row = OutboxRow(
        id=new_id(),
        kind=kind,
        target=target,
        payload=payload,
        created_at=now,
        due_at=DatabaseTime(),
        expires_at=expires_at,
        attempts=0,
        done_at=now if is_done else None,
    )
    session.add(row)
    session.info[WRITES_OUTBOX] = True
    return row


async def longest_wait(session: AsyncSession, queue: Queue) -> timedelta | None:
    """Return for how long the oldest message has been due, whether it is being sent or not, or None
    if none is due."""
    # A subquery is evaluated once, so that PostgreSQL uses the index.
    now = select(DatabaseTime()).scalar_subquery()
    found = await session.execute(
        select(func.min(OutboxRow.due_at), DatabaseTime()).where(
            *_is_of(queue), *_IS_PENDING, OutboxRow.due_at <= now
        )
    )
    since, until = found.one()
    return None if since is None else until - since


async def newest(session: AsyncSession, kind: OutboxKind, *, limit: int) -> Sequence[OutboxRow]:
    """Return the newest messages that still have their payload, sent or not, the newest first."""
    rows = await session.scalars(
        select(OutboxRow)
        .where(OutboxRow.kind == kind, _HAS_PAYLOAD)
        .order_by(OutboxRow.id.desc())
        .limit(limit)
    )
    return rows.all()


async def find(session: AsyncSession, kind: OutboxKind, id: UUID) -> OutboxRow | None:
    """Return a message that still has its payload."""
    row: OutboxRow | None = await session.scalar(
        select(OutboxRow).where(OutboxRow.id == id, OutboxRow.kind == kind, _HAS_PAYLOAD)
    )
    return row


@retried
async def claim(database: Database, queue: Queue) -> list[OutboxRow]:
    """Lease up to ``batch_size`` messages that are due, and return them. Others do not get them
    before ``lease_until``."""
    async with database.writing() as session:
        now = await read_clock(session)
        rows = await session.scalars(
            update(OutboxRow)
            .where(OutboxRow.id.in_(select(_picked(queue, now).c.id)))
            .values(lease_until=now + queue.lease, attempts=OutboxRow.attempts + 1)
            .returning(OutboxRow)
            .execution_options(synchronize_session=False)
        )
        return sorted(rows, key=lambda row: (row.due_at, row.id))


def _picked(queue: Queue, now: datetime) -> CTE:
    # Materialized: PostgreSQL would otherwise be free to run it again for each row of the outbox,
    # and lock others each time.
    return (
        select(OutboxRow.id)
        .where(*_is_of(queue), *_IS_PENDING, OutboxRow.due_at <= now)
        .where(or_(OutboxRow.lease_until.is_(None), OutboxRow.lease_until <= now))
        .order_by(OutboxRow.due_at)
        .limit(queue.batch_size)
        .with_for_update(skip_locked=True)
        .cte("picked")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )


async def mark_done(database: Database, row: OutboxRow) -> None:
    """Record that a message was sent, and clear its payload."""
    await _mark(
        database,
        _pending(row).values(done_at=datetime.now(UTC), payload={}, lease_until=None, error=None),
    )


async def give_up(database: Database, queue: Queue, row: OutboxRow, error: str) -> None:
    """Record that a message cannot be sent, and clear its payload, unless its queue keeps it."""
    values: dict[str, Any] = {
        "failed_at": datetime.now(UTC),
        "lease_until": None,
        "error": _shortened(error),
    }
    if not queue.keeps_failed:
        values["payload"] = {}
    await _mark(database, _pending(row).values(**values))


async def retry_later(
    database: Database,
    queue: Queue,
    row: OutboxRow,
    error: str,
    *,
    at_least: timedelta = timedelta(),
) -> bool:
    """Give a message back until it is due again, at the latest when it expires. Return False, and
    change nothing, if this was its last attempt."""
    wait = queue.wait_after(row.attempts)
    if wait is None:
        return False
    async with database.reading() as session:
        now = await read_clock(session)
    due_at = min(now + max(wait, at_least), row.expires_at)
    await _mark(
        database,
        _leased(row).values(due_at=due_at, lease_until=None, error=_shortened(error)),
    )
    return True


async def release(database: Database, rows: Collection[OutboxRow]) -> None:
    """Give messages back that were not tried."""
    for row in rows:
        await _mark(
            database, _leased(row).values(attempts=OutboxRow.attempts - 1, lease_until=None)
        )


async def failed(
    session: AsyncSession, kinds: Collection[OutboxKind], *, limit: int
) -> Sequence[OutboxRow]:
    """Return the newest messages that were given up and have kept their payload."""
    rows = await session.scalars(
        select(OutboxRow)
        .where(OutboxRow.kind.in_(kinds), OutboxRow.failed_at.is_not(None), _HAS_PAYLOAD)
        .order_by(OutboxRow.id.desc())
        .limit(limit)
    )
    return rows.all()


@retried
async def retry_now(
    database: Database, kinds: Collection[OutboxKind], id: UUID, *, lifetime: timedelta
) -> bool:
    """Make a message due that was given up, with all its attempts. Return whether there is one."""
    async with database.writing() as session:
        retried_id = await session.scalar(
            update(OutboxRow)
            .where(
                OutboxRow.id == id,
                OutboxRow.kind.in_(kinds),
                OutboxRow.failed_at.is_not(None),
                _HAS_PAYLOAD,
            )
            .values(
                failed_at=None,
                attempts=0,
                due_at=DatabaseTime(),
                expires_at=datetime.now(UTC) + lifetime,
            )
            .returning(OutboxRow.id)
            .execution_options(synchronize_session=False)
        )
    return retried_id is not None


@retried
async def _mark(database: Database, change: Update) -> None:
    async with database.writing() as session:
        await session.execute(change.execution_options(synchronize_session=False))


# A message that was sent has an empty one, and so has one that was given up, unless it is kept.
# Databases compare JSON as text.
_HAS_PAYLOAD = cast(OutboxRow.payload, String) != "{}"

_IS_PENDING = (OutboxRow.done_at.is_(None), OutboxRow.failed_at.is_(None))


def _is_of(queue: Queue) -> list[ColumnElement[bool]]:
    conditions = [OutboxRow.kind == queue.kind]
    return conditions if queue.target is None else [*conditions, OutboxRow.target == queue.target]


def _pending(row: OutboxRow) -> Update:
    return update(OutboxRow).where(OutboxRow.id == row.id, *_IS_PENDING)


def _leased(row: OutboxRow) -> Update:
    """Match a row whose lease is still this one."""
    return _pending(row).where(OutboxRow.lease_until == row.lease_until)


def _shortened(error: str) -> str:
    """Return an error as the column takes it: PostgreSQL accepts no NUL."""
    return error.replace("\0", "")[:_MAX_ERROR_LENGTH]
