"""Security events: what happened to an account, for its owner to read (OWASP Authentication Cheat
Sheet, "Logging and Monitoring")."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import LoginSession, SecurityEvent
from domain import events
from domain.devices import Device
from domain.events import EventType
from domain.ids import new_id
from domain.pagination import Page, PageRequest


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
    INVITATION_SENT = "INVITATION_SENT"
    DELETED = "DELETED"


# What webhooks and `on_event` are told of each kind. Sessions start and end in `domain.sessions`,
# which publishes that itself, except the end by a token that is used again.
EVENT_TYPES: Mapping[EventKind, tuple[EventType, ...]] = {
    EventKind.REGISTERED: (EventType.USER_REGISTERED,),
    EventKind.LOGGED_IN: (),
    EventKind.WRONG_PASSWORD: (),
    EventKind.SIGN_IN_CODE_REQUESTED: (),
    EventKind.WRONG_CODE: (),
    EventKind.SECOND_FACTOR_REQUESTED: (),
    EventKind.REAUTHENTICATED: (),
    EventKind.TOTP_ADDED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.TOTP_REMOVED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.RECOVERY_CODE_USED: (),
    EventKind.RECOVERY_CODES_REPLACED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.PASSKEY_ADDED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.PASSKEY_REMOVED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.PASSKEY_COUNTER: (),
    EventKind.FACTORS_REMOVED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.IDENTITY_LINKED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.IDENTITY_UNLINKED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.REFRESHED: (),
    EventKind.TOKEN_REUSED: (EventType.SESSION_ENDED,),
    EventKind.EMAIL_CHANGED: (EventType.USER_UPDATED,),
    EventKind.EMAIL_CHANGE_UNDONE: (EventType.USER_UPDATED, EventType.CREDENTIAL_CHANGED),
    EventKind.EMAIL_VERIFIED: (EventType.USER_VERIFIED,),
    EventKind.PASSWORD_CHANGED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.PASSWORD_RESET_REQUESTED: (),
    EventKind.PASSWORD_RESET: (EventType.CREDENTIAL_CHANGED,),
    EventKind.ACCOUNT_SECURED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.SESSION_ENDED: (),
    EventKind.USERNAME_CHANGED: (EventType.USER_UPDATED,),
    EventKind.EXPORTED: (),
    EventKind.DISABLED: (EventType.USER_DISABLED,),
    EventKind.ENABLED: (EventType.USER_ENABLED,),
    EventKind.PASSWORD_RESET_REQUIRED: (EventType.CREDENTIAL_CHANGED,),
    EventKind.ROLE_GRANTED: (EventType.USER_UPDATED,),
    EventKind.ROLE_REVOKED: (EventType.USER_UPDATED,),
    EventKind.IMPERSONATED: (),
    EventKind.IMPERSONATION_STARTED: (),
    EventKind.INVITATION_SENT: (),
    EventKind.DELETED: (EventType.USER_DELETED,),
}


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
    """Add an event to the transaction of what happened, and tell those who have subscribed to it.

    ``user_id`` is None for an attempt on an account that does not exist. ``session_id`` is the
    login session concerned, if there is one. ``actor_id`` is the user who did it, if that was not
    the owner. ``detail`` has at most 200 characters, which the owner can read.
    """
    row = _row(kind, device, user_id, session_id, actor_id)
    session.add(SecurityEvent(**row, detail=detail))
    _publish(session, kind, user_id, session_id, actor_id)


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


async def insert_in(
    session: AsyncSession, kind: EventKind, device: Device, current: LoginSession
) -> None:
    """Record an event of a user's login session as `record_in` does, at once and without the ORM,
    which takes several times as long: that counts where a session starts and is refreshed."""
    row = _row(kind, device, current.user_id, current.id, current.impersonator_id)
    connection = await session.connection()
    await connection.execute(_INSERT, row)
    _publish(session, kind, current.user_id, current.id, current.impersonator_id)


_INSERT = insert(SecurityEvent)


def _row(
    kind: EventKind,
    device: Device,
    user_id: UUID | None,
    session_id: UUID | None,
    actor_id: UUID | None,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "user_id": user_id,
        "session_id": session_id,
        "kind": kind,
        "device": device.name,
        "ip": device.ip,
        "actor_id": actor_id,
        "created_at": datetime.now(UTC),
    }


def _publish(
    session: AsyncSession,
    kind: EventKind,
    user_id: UUID | None,
    session_id: UUID | None,
    actor_id: UUID | None,
) -> None:
    if user_id is not None:
        for type in EVENT_TYPES[kind]:
            events.publish(session, type, user_id=user_id, session_id=session_id, actor_id=actor_id)


def ip_for_owner(ip: str | None, actor_id: UUID | str | None) -> str | None:
    """Return the address of an event or a session as the owner of the account sees it: not that of
    an administrator, which is personal data of theirs."""
    return ip if actor_id is None else None


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
    found = await newest(session, user_id, page_request.rows, after=page_request.after, kinds=kinds)
    return Page.from_rows(found, page_request)


async def newest(
    session: AsyncSession,
    user_id: UUID,
    number: int,
    *,
    after: UUID | None = None,
    kinds: Collection[EventKind] | None = None,
) -> Sequence[SecurityEvent]:
    """Return the newest of one user's events, or the newest ``after`` one in this order. With
    ``kinds``, only these. A release does not show the kinds that a newer one has added."""
    named = {
        f"kind_{place}": kind for place, kind in enumerate(_ALL if kinds is None else set(kinds))
    }
    if not named:
        return []
    values = {"user_id": user_id, "number": number, "after": after, **named}
    found = await session.scalars(_newest(len(named), is_first=after is None), values)
    return found.all()


_ALL = tuple(EventKind)


@cache
def _newest(kinds: int, *, is_first: bool) -> Select[SecurityEvent]:
    """Select the newest events of a number of kinds.

    The index has a user's events in the order of their kinds, so the newest of each kind are read
    and merged. A condition on the kinds would read all that the user has. (To make the statement
    takes several times as long as to execute it.)
    """
    of_each = []
    for place in range(kinds):
        of_kind = select(SecurityEvent.id).where(
            SecurityEvent.user_id == bindparam("user_id"),
            SecurityEvent.kind == bindparam(f"kind_{place}"),
        )
        if not is_first:
            of_kind = of_kind.where(SecurityEvent.id < bindparam("after"))
        in_order = of_kind.order_by(SecurityEvent.id.desc()).limit(bindparam("number"))
        # SQLite takes an order within a union only in a subquery.
        of_each.append(select(in_order.subquery().c.id))
    return (
        select(SecurityEvent)
        .where(SecurityEvent.id.in_(union_all(*of_each)))
        .order_by(SecurityEvent.id.desc())
        .limit(bindparam("number"))
    )
