"""The table of posts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.models.base import Base, UtcDateTime
from db.models.users import User


class Post(Base):
    """A post. Ids are UUIDv7, so their order is the order of publishing, and an index on them
    serves "newest first" from any position."""

    __tablename__ = "posts"
    __table_args__ = (Index("ix_posts_author_id", "author_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    #: Up to 200 KB, so it is loaded only by statements that ask for it.
    content: Mapped[str] = mapped_column(Text, deferred=True, deferred_raiseload=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Loaded only by statements that ask for it (``joinedload``).
    author: Mapped[User] = relationship(lazy="raise", viewonly=True, innerjoin=True)
