"""The table of sessions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, UtcDateTime


class LoginSession(Base):
    """A session of a user, from a sign-in until it ends or expires.

    Refresh tokens are stored as hashes only. ``rotations`` holds the time and the salt of the most
    recent ones.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        # No index has a column that a refresh changes: PostgreSQL then writes the row alone (a HOT
        # update), and to no index.
        #
        # A user has few active sessions, however many have ended.
        Index(
            "ix_sessions_active_user_id",
            "user_id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_sessions_user_id_network", "user_id", "network"),
        Index(
            "ix_sessions_impersonator_id",
            "impersonator_id",
            sqlite_where=text("impersonator_id IS NOT NULL"),
            postgresql_where=text("impersonator_id IS NOT NULL"),
        ),
        # The room for them on each page.
        {"postgresql_with": {"fillfactor": 85}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    method: Mapped[str] = mapped_column(String(40))
    device: Mapped[str | None] = mapped_column(String(100))
    ip: Mapped[str | None] = mapped_column(String(45))
    network: Mapped[str] = mapped_column(String(45))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When the user last proved in this session who they are.
    proved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: How they have proved it (RFC 8176), such as ["pwd", "otp", "mfa"].
    amr: Mapped[list[str]] = mapped_column(JSON)
    #: The administrator who uses the account in place of the user. Not a foreign key, since the
    #: record stays when that user is deleted.
    impersonator_id: Mapped[UUID | None]
    family_hash: Mapped[str] = mapped_column(
        String(64), unique=True, deferred=True, deferred_raiseload=True
    )
    refresh_hash: Mapped[str] = mapped_column(String(64), deferred=True, deferred_raiseload=True)
    rotations: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON, deferred=True, deferred_raiseload=True
    )
