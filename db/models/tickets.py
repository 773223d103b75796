"""The table of tickets."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, UtcDateTime


class Ticket(Base):
    """Something short-lived that is proven once, such as the ownership of an email.

    Tokens and codes are computed from the id, so none is stored. ``secret_hash`` is the hash of
    what the browser that asked for the ticket keeps.
    """

    __tablename__ = "tickets"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    secret_hash: Mapped[str] = mapped_column(String(64))
    #: What the ticket was made for, such as the new email.
    state: Mapped[dict[str, Any]] = mapped_column(JSON)
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
