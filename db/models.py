"""The tables."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite keeps no time zone and would hand back a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    # Constraints have names of their own, so that a violated one can be told from another.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class User(Base):
    """A person. The keys are what uniqueness and look-up go by; `domain` computes them.

    The hash and the keys are read only by the statements that ask for them (``undefer``): no answer needs them.
    """

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(32))
    username_key: Mapped[str] = mapped_column(
        String(32), unique=True, deferred=True, deferred_raiseload=True
    )
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(
        String(254), unique=True, deferred=True, deferred_raiseload=True
    )
    password_hash: Mapped[str] = mapped_column(String(255), deferred=True, deferred_raiseload=True)
    image_file: Mapped[str | None] = mapped_column(String(2048))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Post(Base):
    """Something a person wrote. Ids are UUIDv7, so their order is the order of publishing, and an index on them serves
    "newest first" from any place in it."""

    __tablename__ = "posts"
    __table_args__ = (Index("ix_posts_author_id", "author_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Read by the statements that ask for it (``joinedload``), and by no other.
    author: Mapped[User] = relationship(lazy="raise", viewonly=True, innerjoin=True)


class LoginSession(Base):
    """One of a person's sessions: from a login, a registration or a grant until it ends or expires.

    Its refresh tokens are here as hashes alone. ``rotations`` are the most recent ones: when, and with which salt.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        # Someone's ongoing sessions are few, however many have ended.
        Index(
            "ix_sessions_ongoing",
            "user_id",
            "last_used_at",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_sessions_user_id_network", "user_id", "network"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    origin: Mapped[str] = mapped_column(String(20))
    client: Mapped[str | None] = mapped_column(String(100))
    ip: Mapped[str | None] = mapped_column(String(45))
    network: Mapped[str] = mapped_column(String(45))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    family_hash: Mapped[str] = mapped_column(
        String(64), unique=True, deferred=True, deferred_raiseload=True
    )
    refresh_hash: Mapped[str] = mapped_column(String(64), deferred=True, deferred_raiseload=True)
    rotations: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON, deferred=True, deferred_raiseload=True
    )


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
