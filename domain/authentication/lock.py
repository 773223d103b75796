"""Lock the row of a user who is known by a credential and not by a session."""

from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models import User
from domain.mail.mailer import RECIPIENT
from domain.sessions.active import SIGN_IN

# Built once: building it for each login takes a part of its time. With a parameter, so that a
# ticket without a user takes the same statement.
_LOCKED = (
    select(User)
    .where(User.id == bindparam("id"), User.deleted_at.is_(None))
    .with_for_update(key_share=True)
    .options(undefer(User.password_hash), undefer(User.email_key), *RECIPIENT, *SIGN_IN)
)


async def lock_user(session: AsyncSession, user_id: UUID | None) -> User | None:
    """Lock a user's row to change it, and return it with its secrets and as a recipient of mail.
    Return None if there is no such user. Commands lock the user before anything else."""
    user: User | None = await session.scalar(_LOCKED, {"id": user_id})
    return user
