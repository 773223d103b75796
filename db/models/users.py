"""The table of users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, func, select, text
from sqlalchemy.orm import Mapped, column_property, mapped_column

from db.models.base import Base, UtcDateTime, by_bytes
from db.models.roles import UserRole


def _of_disabled(name: str, column: str) -> Index:
    """Return an index of the disabled users, by which their lists are read in each order."""
    is_disabled = text("disabled_at IS NOT NULL")
    return Index(name, column, sqlite_where=is_disabled, postgresql_where=is_disabled)


class User(Base):
    """A user. Uniqueness and look-up go by the keys, which `domain` computes.

    The password hash and the keys are loaded only by statements that ask for them (``undefer``).
    """

    __tablename__ = "users"
    __table_args__ = (
        Index(
            "ix_users_deleted_at",
            "deleted_at",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
        _of_disabled("ix_users_disabled", "id"),
        _of_disabled("ix_users_disabled_username", "username_key"),
        _of_disabled("ix_users_disabled_email", "email_key"),
        Index(
            "ix_users_picture_id",
            "picture_id",
            sqlite_where=text("picture_id IS NOT NULL"),
            postgresql_where=text("picture_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(32))
    username_key: Mapped[str] = mapped_column(
        by_bytes(32), unique=True, deferred=True, deferred_raiseload=True
    )
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(
        by_bytes(254), unique=True, deferred=True, deferred_raiseload=True
    )
    #: None for an account without a password.
    password_hash: Mapped[str | None] = mapped_column(
        String(255), deferred=True, deferred_raiseload=True
    )
    #: The address or the name of an image that is stored elsewhere.
    image_file: Mapped[str | None] = mapped_column(String(2048))
    #: The picture that is stored here: 128 random bits in hexadecimal digits.
    picture_id: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: When someone proved to read mail at this address.
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    #: When a mail server said that there is no such address. Nothing is sent to it.
    email_undeliverable_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, deferred=True, deferred_raiseload=True
    )
    #: The language of mail, such as "de".
    locale: Mapped[str | None] = mapped_column(String(8))
    #: What passkeys know the user by: random bytes that say nothing of the account (WebAuthn
    #: Level 3, section 14.6.1). Made with the first passkey.
    webauthn_handle: Mapped[bytes | None] = mapped_column(
        LargeBinary(64), unique=True, deferred=True, deferred_raiseload=True
    )
    #: Since when the account cannot be signed in to, and why.
    disabled_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, deferred=True, deferred_raiseload=True
    )
    disabled_reason: Mapped[str | None] = mapped_column(
        String(200), deferred=True, deferred_raiseload=True
    )
    #: Since when the password must be reset before it can be used.
    must_reset_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, deferred=True, deferred_raiseload=True
    )
    #: Set while the rows of a deleted account are being deleted. Nothing shows such an account.
    deleted_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, deferred=True, deferred_raiseload=True
    )

    #: The names of the user's roles, with blanks between them. None if there are none.
    role_names: Mapped[str | None] = column_property(
        select(func.aggregate_strings(UserRole.role, " "))
        .where(UserRole.user_id == id)
        .correlate_except(UserRole)
        .scalar_subquery(),
        deferred=True,
        raiseload=True,
        # A change of another column changes no role.
        expire_on_flush=False,
    )

    @property
    def roles(self) -> list[str]:
        """The names of the user's roles, sorted. Statements ask for ``role_names``."""
        return sorted((self.role_names or "").split())

    @property
    def has_password(self) -> bool:
        return self.password_hash is not None
