"""The table of security events."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, UtcDateTime


class SecurityEvent(Base):
    """Something that happened to an account. It outlives the account, whose deletion is one of them, until it is pruned:
    so no foreign key. Ids are UUIDv7, as those of posts."""

    __tablename__ = "security_events"
    __table_args__ = (Index("ix_security_events_user_id", "user_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(20))
    client: Mapped[str | None] = mapped_column(String(100))
    ip: Mapped[str | None] = mapped_column(String(45))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
