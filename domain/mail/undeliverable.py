"""Addresses that a mail server does not know. Nothing is sent to them until they change."""

from datetime import UTC, datetime

from sqlalchemy import update

from db.database import Database, retried
from db.models import User
from domain import emails


@retried
async def mark_undeliverable(database: Database, address: str) -> None:
    """Record that there is no such mailbox."""
    async with database.writing() as session:
        await session.execute(
            update(User)
            .where(User.email_key == emails.key(address), User.email_undeliverable_at.is_(None))
            .values(email_undeliverable_at=datetime.now(UTC))
            .execution_options(synchronize_session=False)
        )
