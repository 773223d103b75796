"""Retention: delete ended sessions, security events, tickets and sent messages after some time, and
what is left of deleted accounts."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database, retried
from db.models import LoginSession, OutboxRow, Post, SecurityEvent, Ticket, User
from domain.ids import first_id_of

# How long messages are kept that were sent or given up, to see what happened to them.
MESSAGES_KEPT_FOR = timedelta(days=7)

# One transaction for each batch, so that other writers wait only briefly.
BATCH_SIZE = 1000

# Smaller: a post has up to 200 KB.
ACCOUNT_BATCH_SIZE = 200


async def prune(database: Database, *, kept_for: timedelta) -> int:
    """Delete what ended or happened longer ago than ``kept_for``, expired tickets and old messages.
    Return the number of rows."""
    now = datetime.now(UTC)
    before = now - kept_for
    sessions = select(LoginSession.id).where(LoginSession.expires_at < before)
    events = select(SecurityEvent.id).where(SecurityEvent.id < first_id_of(before))
    messages = select(OutboxRow.id).where(
        OutboxRow.id < first_id_of(now - MESSAGES_KEPT_FOR),
        # Others are still to be sent.
        or_(
            OutboxRow.done_at.is_not(None),
            OutboxRow.failed_at.is_not(None),
            OutboxRow.expires_at < now,
        ),
    )
    return (
        await _delete(database, LoginSession, sessions)
        + await _delete(database, SecurityEvent, events)
        + await prune_tickets(database)
        + await _delete(database, OutboxRow, messages)
    )


async def prune_tickets(database: Database) -> int:
    """Delete expired tickets and return their number. If there are none, nothing waits for SQLite's
    single writer."""
    expired = select(Ticket.id).where(Ticket.expires_at < datetime.now(UTC))
    async with database.reading() as session:
        if await session.scalar(expired.limit(1)) is None:
            return 0
    return await _delete(database, Ticket, expired)


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


@retried
async def _delete(
    database: Database,
    model: type[LoginSession | OutboxRow | SecurityEvent | Ticket],
    ids: Select[UUID],
) -> int:
    deleted = 0
    while True:
        async with database.writing() as session:
            batch = await session.scalars(
                delete(model)
                # Rows that another transaction is deleting are skipped: it may be waiting for this
                # one.
                .where(model.id.in_(ids.limit(BATCH_SIZE).with_for_update(skip_locked=True)))
                .returning(model.id)
            )
            count = len(batch.all())
        deleted += count
        if count < BATCH_SIZE:
            return deleted
