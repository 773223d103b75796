"""The table of passkeys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, UtcDateTime


class Passkey(Base):
    """A passkey of a user: a credential record of WebAuthn (Level 3, section 4)."""

    __tablename__ = "passkeys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    #: At most 1,023 bytes, as the authenticator chose it.
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int] = mapped_column(BigInteger)
    #: Whether it may be synced to other devices. It never changes.
    backup_eligible: Mapped[bool]
    #: Whether it is synced.
    backed_up: Mapped[bool]
    transports: Mapped[list[str]] = mapped_column(JSON)
    #: The model of the authenticator, or zeros.
    aaguid: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
