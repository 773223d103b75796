"""The table of security events."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, UtcDateTime


class SecurityEvent(Base):
    """Something that happened to an account.

    Events outlive the account, since its deletion is one of them, so there is no foreign key. Their
    ids are UUIDv7.
    """

    __tablename__ = "security_events"
    __table_args__ = (Index("ix_security_events_user_id", "user_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID | None]
    session_id: Mapped[UUID | None]
    kind: Mapped[str] = mapped_column(String(40))
    #: The user who did it, if that was not the owner.
    actor_id: Mapped[UUID | None]
    #: What else is to be known, such as a reason.
    detail: Mapped[str | None] = mapped_column(String(200))
    device: Mapped[str | None] = mapped_column(String(100))
    ip: Mapped[str | None] = mapped_column(String(45))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
