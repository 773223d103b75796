"""The table of what is to be sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, UtcDateTime

_IS_PENDING = text("done_at IS NULL AND failed_at IS NULL")


class OutboxRow(Base):
    """A message to send, written in the transaction of what it reports. Ids are UUIDv7.

    A process that sends it holds a lease, so that no other one sends it too. The payload is
    emptied when the message is sent or given up, unless its queue keeps failed ones.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        # A row is pending for a short time, however many are kept. With the target: an
        # endpoint that does not respond has many rows, and others must not wait for them.
        Index(
            "ix_outbox_pending",
            "kind",
            "target",
            "due_at",
            sqlite_where=_IS_PENDING,
            postgresql_where=_IS_PENDING,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    #: The receiver, if the kind has several.
    target: Mapped[str | None] = mapped_column(String(200))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int]
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(200))
