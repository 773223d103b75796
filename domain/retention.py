"""What is kept for a time, and then no longer: ended sessions, and what happened to accounts."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, select

from db.database import Database
from db.models import LoginSession, SecurityEvent
from domain.ids import first_id_of

# One transaction each, so that nobody waits for long behind them.
BATCH = 1000


async def prune(database: Database, *, kept_for: timedelta) -> int:
    """Delete what ended or happened longer ago than that, and say how many rows that was."""
    before = datetime.now(UTC) - kept_for
    sessions = select(LoginSession.id).where(LoginSession.expires_at < before)
    events = select(SecurityEvent.id).where(SecurityEvent.id < first_id_of(before))
    return await _delete(database, LoginSession, sessions) + await _delete(
        database, SecurityEvent, events
    )


async def _delete(
    database: Database, model: type[LoginSession | SecurityEvent], ids: Select[UUID]
) -> int:
    deleted = 0
    while True:
        async with database.writing() as session:
            batch = await session.scalars(
                delete(model)
                # What someone else is deleting is not waited for: they may wait for this.
                .where(model.id.in_(ids.limit(BATCH).with_for_update(skip_locked=True)))
                .returning(model.id)
            )
            count = len(batch.all())
        deleted += count
        if count < BATCH:
            return deleted
