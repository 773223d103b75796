"""Retention: delete ended sessions and security events after some time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, select

from db.database import Database, retried
from db.models import LoginSession, SecurityEvent
from domain.ids import first_id_of

# One transaction for each batch, so that other writers wait only briefly.
BATCH_SIZE = 1000


async def prune(database: Database, *, kept_for: timedelta) -> int:
    """Delete what ended or happened longer ago than ``kept_for``, and return the number of rows."""
    before = datetime.now(UTC) - kept_for
    sessions = select(LoginSession.id).where(LoginSession.expires_at < before)
    events = select(SecurityEvent.id).where(SecurityEvent.id < first_id_of(before))
    return await _delete(database, LoginSession, sessions) + await _delete(
        database, SecurityEvent, events
    )


@retried
async def _delete(
    database: Database, model: type[LoginSession | SecurityEvent], ids: Select[UUID]
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
