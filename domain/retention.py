"""Retention: delete ended sessions, security events, tickets and sent messages after some time, and
what is left of deleted accounts."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database, retried
from db.locks import RETENTION, try_lock
from db.models import LoginSession, OutboxRow, Post, SecurityEvent, Ticket, User
from db.models.security_events import IS_REFRESHED
from domain.ids import first_id_of

# How long messages are kept that were sent or given up, to see what happened to them.
MESSAGES_KEPT_FOR = timedelta(days=7)

# Sessions that are in use are refreshed twice an hour, which is most of what happens to an account
# and soon of no interest.
REFRESHES_KEPT_FOR = timedelta(days=7)

# One transaction for each batch, so that other writers wait only briefly.
BATCH_SIZE = 1000

# Pruning pauses after a batch for this many times as long as the batch took. So it takes a quarter
# of the time of one connection, however fast the database is.
PAUSE = 3

# Smaller: a post has up to 200 KB.
ACCOUNT_BATCH_SIZE = 200


async def prune(database: Database, *, kept_for: timedelta, paced: bool = True) -> int:
    """Delete what ended or happened longer ago than ``kept_for``, expired tickets and old messages.
    Return the number of rows.

    If ``paced``, each batch is followed by a pause, and on PostgreSQL all processes but one stop:
    the one that is left deletes what the others would have.
    """
    now = datetime.now(UTC)
    before = now - kept_for
    refreshes = (
        IS_REFRESHED,
        SecurityEvent.id < first_id_of(now - min(kept_for, REFRESHES_KEPT_FOR)),
    )
    messages = (
        OutboxRow.id < first_id_of(now - MESSAGES_KEPT_FOR),
        # Others are still to be sent.
        or_(
            OutboxRow.done_at.is_not(None),
            OutboxRow.failed_at.is_not(None),
            OutboxRow.expires_at < now,
        ),
    )
    pace = _Pace(database, paced)
    return (
        await _prune_sessions(pace, before)
        + await _delete(pace, SecurityEvent, SecurityEvent.id < first_id_of(before))
        + await _delete(pace, SecurityEvent, *refreshes)
        + await prune_tickets(database)
        + await _delete(pace, OutboxRow, *messages)
    )


async def prune_tickets(database: Database) -> int:
    """Delete expired tickets and return their number. If there are none, nothing waits for SQLite's
    single writer."""
    is_expired = Ticket.expires_at < datetime.now(UTC)
    async with database.reading() as session:
        if await session.scalar(select(Ticket.id).where(is_expired).limit(1)) is None:
            return 0
    return await _delete(_Pace(database), Ticket, is_expired)


async def purge(database: Database) -> int:
    """Delete the rows of deleted accounts in batches, and return how many accounts are gone.

    It can be interrupted at any time, and continues when it is called again.
    """
    async with database.reading() as session:
        deleted = await session.scalars(select(User.id).where(User.deleted_at.is_not(None)))
        user_ids = deleted.all()
    gone = 0
    for user_id in user_ids:
        is_gone: bool | None = False
        while is_gone is False:
            is_gone = await _purge_batch(database, user_id)
        gone += bool(is_gone)
    return gone


@retried
async def _purge_batch(database: Database, user_id: UUID) -> bool | None:
    """Return whether the account is gone, or None if another process is deleting it."""
    started = time.monotonic()
    row = select(User.id).where(User.id == user_id, User.deleted_at.is_not(None))
    async with database.writing() as session:
        if await session.scalar(row.with_for_update(skip_locked=True)) is None:
            return None
        is_gone = await delete_rows_of(session, user_id)
    # For as long as the batch took, other processes can write to SQLite.
    await asyncio.sleep(time.monotonic() - started)
    return is_gone


async def delete_rows_of(session: AsyncSession, user_id: UUID) -> bool:
    """Delete at most one batch of the rows of a deleted account, and return whether all of it is
    gone. Its row must be locked by this transaction."""
    for model, owner in (
        (Post, Post.author_id),
        (LoginSession, LoginSession.user_id),
        (Ticket, Ticket.user_id),
    ):
        batch = select(model.id).where(owner == user_id).limit(ACCOUNT_BATCH_SIZE)
        deleted = await session.scalars(
            delete(model)
            .where(model.id.in_(batch))
            .returning(model.id)
            .execution_options(synchronize_session=False)
        )
        if len(deleted.all()) == ACCOUNT_BATCH_SIZE:
            return False
    await session.execute(
        delete(User).where(User.id == user_id).execution_options(synchronize_session=False)
    )
    return True


async def _prune_sessions(pace: "_Pace", before: datetime) -> int:
    """Delete the sessions that ended or expired before a moment, and return their number.

    There is no index of the time that they expire: each refresh changes it, and would write to
    every index of the table. So this reads all that began before the moment, in the order of their
    ids.
    """
    deleted, after = 0, UUID(int=0)
    rows = (
        select(LoginSession.id, LoginSession.expires_at)
        .where(LoginSession.id < first_id_of(before))
        .order_by(LoginSession.id)
        .limit(BATCH_SIZE)
    )
    while True:
        async with pace.batch():
            async with pace.database.reading() as session:
                read = (await session.execute(rows.where(LoginSession.id > after))).all()
            ids = [id for id, expires_at in read if expires_at < before]
            found = ids and await _delete_batch(pace, LoginSession, LoginSession.id.in_(ids))
        if found is None:
            return deleted
        deleted += len(found)
        if len(read) < BATCH_SIZE:
            return deleted
        after = read[-1].id


async def _delete(
    pace: "_Pace",
    model: type[OutboxRow | SecurityEvent | Ticket],
    *conditions: ColumnElement[bool] | TextClause,
) -> int:
    """Delete the rows that match, and return their number."""
    deleted, after = 0, UUID(int=0)
    while True:
        async with pace.batch():
            # What lies before has been deleted, and PostgreSQL would read over all of it again.
            found = await _delete_batch(pace, model, model.id > after, *conditions)
        if found is None:
            return deleted
        deleted += len(found)
        if len(found) < BATCH_SIZE:
            return deleted
        after = max(found)


@retried
async def _delete_batch(
    pace: "_Pace",
    model: type[LoginSession | OutboxRow | SecurityEvent | Ticket],
    *conditions: ColumnElement[bool] | TextClause,
) -> Sequence[UUID] | None:
    """Return the ids of the rows that this deleted, or None if another process is pruning."""
    ids = select(model.id).where(*conditions).order_by(model.id).limit(BATCH_SIZE)
    async with pace.database.writing() as session:
        if not await pace.is_alone(session):
            return None
        found = await session.scalars(
            delete(model)
            # Rows that another transaction is deleting are skipped: it may be waiting for this one.
            .where(model.id.in_(ids.with_for_update(skip_locked=True)))
            .returning(model.id)
            .execution_options(synchronize_session=False)
        )
        return found.all()


@dataclass
class _Pace:
    """How much of the database pruning takes."""

    database: Database
    paced: bool = True

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """Pause after the block, ``PAUSE`` times as long as it took."""
        started = time.monotonic()
        yield
        if self.paced:
            await asyncio.sleep(PAUSE * (time.monotonic() - started))

    async def is_alone(self, session: AsyncSession) -> bool:
        """Return whether no other process is in a batch."""
        return not self.paced or await try_lock(await session.connection(), RETENTION)
