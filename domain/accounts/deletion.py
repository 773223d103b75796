"""Delete an account."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import User
from domain import retention, security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.accounts.pictures import discard_picture
from domain.authentication.factors import remove_all as remove_factors
from domain.authentication.providers import remove_identities
from domain.authentication.reauthentication import lock_proved, prove
from domain.devices import Device
from domain.roles import remove_roles, require_another_administrator
from domain.security_events import EventKind
from domain.services import Services


@retried
async def delete(
    services: Services, device: Device, caller: Caller, *, password: str | None
) -> UUID:
    """Delete the caller's account with everything that belongs to it, and return its id. Security
    events stay until they are pruned.

    One transaction ends the account: its sessions, its names and its personal data are gone, and
    nothing shows its posts. It deletes the posts too, if these are few. `retention.purge` deletes
    the rest, so that an account of any size neither blocks other writers nor ends half deleted.

    Raises ReauthenticationRequired, InvalidCredentials, TooManyAttempts, Overloaded or
    SessionEnded, and Forbidden for the last administrator.
    """
    proof = await prove(services, device, caller, password=password)
    async with services.database.writing(to_replica=True) as session:
        user, _ = await lock_proved(session, services, caller, proof)
        security_events.record(
            session, EventKind.DELETED, device, user_id=user.id, session_id=caller.session_id
        )
        picture_id = await delete_locked(session, user)
    await discard_picture(services, picture_id)
    return user.id


async def delete_locked(session: AsyncSession, user: User) -> str | None:
    """Delete the account of a user whose row is locked by this transaction. Return the id of its
    picture, whose files are to be deleted after the commit.

    Raises Forbidden for the last administrator.
    """
    picture_id = user.picture_id
    await require_another_administrator(session, user.id)
    await sessions.end_all_of(session, user)
    await remove_factors(session, user.id)
    await remove_identities(session, user.id)
    await remove_roles(session, user.id)
    _clear(user)
    await session.flush()
    # Edits of posts under way keep the row from being deleted. Waiting for them with locks on their
    # posts would be a deadlock.
    await session.execute(select(User.id).where(User.id == user.id).with_for_update())
    await retention.delete_rows_of(session, user.id)
    return picture_id


def _clear(user: User) -> None:
    """Mark the account as deleted and free its username and its email for others."""
    user.deleted_at = datetime.now(UTC)
    # Unique, and neither a username nor an email.
    user.username_key = user.email_key = "~" + urlsafe_b64encode(user.id.bytes).decode()
    user.username = user.email = ""
    user.password_hash = user.webauthn_handle = None
    user.email_verified_at = user.email_undeliverable_at = None
    user.image_file = user.picture_id = user.locale = user.disabled_reason = None
