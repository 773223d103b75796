"""Security events: what happened to an account, for its owner to read (OWASP Authentication Cheat
Sheet, "Logging and Monitoring")."""

from collections.abc import Collection
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, SecurityEvent
from domain.devices import Device
from domain.ids import new_id
from domain.pagination import Page, PageRequest, newest_first


class EventKind(StrEnum):
    REGISTERED = "REGISTERED"
    LOGGED_IN = "LOGGED_IN"
    WRONG_PASSWORD = "WRONG_PASSWORD"
    SIGN_IN_CODE_REQUESTED = "SIGN_IN_CODE_REQUESTED"
    WRONG_CODE = "WRONG_CODE"
    SECOND_FACTOR_REQUESTED = "SECOND_FACTOR_REQUESTED"
    REAUTHENTICATED = "REAUTHENTICATED"
    TOTP_ADDED = "TOTP_ADDED"
    TOTP_REMOVED = "TOTP_REMOVED"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    RECOVERY_CODES_REPLACED = "RECOVERY_CODES_REPLACED"
    PASSKEY_ADDED = "PASSKEY_ADDED"
    PASSKEY_REMOVED = "PASSKEY_REMOVED"
    PASSKEY_COUNTER = "PASSKEY_COUNTER"
    FACTORS_REMOVED = "FACTORS_REMOVED"
    IDENTITY_LINKED = "IDENTITY_LINKED"
    IDENTITY_UNLINKED = "IDENTITY_UNLINKED"
    REFRESHED = "REFRESHED"
    TOKEN_REUSED = "TOKEN_REUSED"
    EMAIL_CHANGED = "EMAIL_CHANGED"
    EMAIL_CHANGE_UNDONE = "EMAIL_CHANGE_UNDONE"
    EMAIL_VERIFIED = "EMAIL_VERIFIED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"
    PASSWORD_RESET_REQUESTED = "PASSWORD_RESET_REQUESTED"
    PASSWORD_RESET = "PASSWORD_RESET"
    ACCOUNT_SECURED = "ACCOUNT_SECURED"
    SESSION_ENDED = "SESSION_ENDED"
    USERNAME_CHANGED = "USERNAME_CHANGED"
    EXPORTED = "EXPORTED"
    DISABLED = "DISABLED"
    ENABLED = "ENABLED"
    PASSWORD_RESET_REQUIRED = "PASSWORD_RESET_REQUIRED"
    ROLE_GRANTED = "ROLE_GRANTED"
    ROLE_REVOKED = "ROLE_REVOKED"
    IMPERSONATED = "IMPERSONATED"
    IMPERSONATION_STARTED = "IMPERSONATION_STARTED"
    DELETED = "DELETED"


def record(
    session: AsyncSession,
    kind: EventKind,
    device: Device,
    *,
    user_id: UUID | None,
    session_id: UUID | None = None,
    actor_id: UUID | None = None,
    detail: str | None = None,
) -> None:
    """Add an event to the transaction of what happened.

    ``user_id`` is None for an attempt on an account that does not exist. ``session_id`` is the
    login session concerned, if there is one. ``actor_id`` is the user who did it, if that was not
    the owner. ``detail`` has at most 200 characters, which the owner can read.
    """
    session.add(
        SecurityEvent(
            id=new_id(),
            user_id=user_id,
            session_id=session_id,
            kind=kind,
            device=device.name,
            ip=device.ip,
            actor_id=actor_id,
            detail=detail,
            created_at=datetime.now(UTC),
        )
    )


def record_in(
    session: AsyncSession, kind: EventKind, device: Device, current: LoginSession
) -> None:
    """Record an event of a user's login session."""
    record(
        session,
        kind,
        device,
        user_id=current.user_id,
        session_id=current.id,
        actor_id=current.impersonator_id,
    )


async def erase(session: AsyncSession, user_id: UUID) -> None:
    """Remove the personal data from a user's events: where they were, and what was said of them."""
    await session.execute(
        update(SecurityEvent)
        .where(SecurityEvent.user_id == user_id)
        .values(device=None, ip=None, detail=None)
        .execution_options(synchronize_session=False)
    )


async def latest(
    session: AsyncSession,
    user_id: UUID,
    page_request: PageRequest,
    *,
    kinds: Collection[EventKind] | None = None,
) -> Page[SecurityEvent]:
    """Return a page of one user's events, newest first. With ``kinds``, only these."""
    events = select(SecurityEvent).where(SecurityEvent.user_id == user_id)
    if kinds is not None:
        events = events.where(SecurityEvent.kind.in_(set(kinds)))
    found = await session.scalars(newest_first(events, SecurityEvent.id, page_request))
    return Page.from_rows(found.all(), page_request)
