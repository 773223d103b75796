"""The table of security events."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, UtcDateTime

#: Most events, and the first to be deleted. Databases use the partial index for this very text, and
#: not for a parameter.
IS_REFRESHED = text("kind = 'REFRESHED'")

_HAS_USER = text("user_id IS NOT NULL")


class SecurityEvent(Base):
    """Something that happened to an account.

    Events outlive the account, since its deletion is one of them, so there is no foreign key. Their
    ids are UUIDv7.
    """

    __tablename__ = "security_events"
    __table_args__ = (
        # A user's events of one kind, newest first. Those of several kinds are merged.
        Index(
            "ix_security_events_user_id_kind",
            "user_id",
            "kind",
            "id",
            sqlite_where=_HAS_USER,
            postgresql_where=_HAS_USER,
        ),
        Index(
            "ix_security_events_refreshed",
            "id",
            sqlite_where=IS_REFRESHED,
            postgresql_where=IS_REFRESHED,
        ),
    )

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
