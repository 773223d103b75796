"""Ownership of an email: what happens to an account when its owner proves it from outside."""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import User
from domain import events, security_events, sessions, tickets
from domain.authentication.factors import remove_all as remove_factors
from domain.authentication.providers import remove_identities
from domain.devices import Device
from domain.events import EventType
from domain.security_events import EventKind
from domain.tickets import TicketKind


async def prove_ownership(session: AsyncSession, device: Device, user: User) -> None:
    """Mark the email of a user as verified, who has just proven without a session of the account
    that they read mail there. The user's row must be locked by this transaction.

    If the email was not verified before, someone else may have made the account and waits for the
    owner to use it ("Pre-hijacked accounts", Sudhodanan and Paverd, USENIX Security 2022). So
    nothing that gave access to it until now gives access any more. That hits owners too who have
    made the account themselves: nothing tells them from others, and they set a new password.
    """
    user.email_undeliverable_at = None
    if user.email_verified_at is None:
        await _remove_access(session, user)
        user.email_verified_at = datetime.now(UTC)
        security_events.record(session, EventKind.EMAIL_VERIFIED, device, user_id=user.id)


async def _remove_access(session: AsyncSession, user: User) -> None:
    """End all sessions of a user, and remove all that could start another one or take the account
    to another address. A new way to sign in is removed here too."""
    await sessions.end_all_of(session, user)
    await tickets.discard(session, user.id, list(TicketKind))
    await remove_factors(session, user.id)
    await remove_identities(session, user.id)
    user.password_hash = None
    events.publish(session, EventType.CREDENTIAL_CHANGED, user_id=user.id)
