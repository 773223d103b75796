"""Export what is stored about a user (GDPR articles 15 and 20)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.database import retried
from db.models import (
    LoginSession,
    Passkey,
    Post,
    RecoveryCode,
    SecurityEvent,
    TotpFactor,
    User,
)
from domain import security_events
from domain.access_tokens.tokens import Caller
from domain.authentication.providers.identities import identities_of
from domain.authentication.reauthentication import lock_proved, prove
from domain.devices import Device
from domain.errors import NotFound
from domain.roles import roles_of
from domain.security_events import EventKind, ip_for_owner
from domain.services import Services

# The newest. A response has at most 4 MiB, and JSON writes some characters as two.
MAX_SESSIONS = 1000
MAX_EVENTS = 2000
MAX_POSTS = 1000
MAX_POSTS_SIZE = 1024 * 1024

# Read in steps of at most 2 MB, and not beyond the size above.
_POSTS_PER_STEP = 10

_USER = (
    "id",
    "username",
    "email",
    "email_verified_at",
    "locale",
    "image_file",
    "picture_id",
    "created_at",
)
_STATE = ("disabled_at", "disabled_reason", "must_reset_at", "email_undeliverable_at")
_SESSION = (
    "id",
    "method",
    "device",
    "ip",
    "created_at",
    "last_used_at",
    "expires_at",
    "ended_at",
    "proved_at",
    "amr",
    "impersonator_id",
)
_EVENT = ("id", "kind", "session_id", "actor_id", "detail", "device", "ip", "created_at")
_IDENTITY = ("provider", "issuer", "subject", "email", "created_at", "last_used_at")
_PASSKEY = ("id", "name", "aaguid", "backed_up", "created_at", "last_used_at")
_POST = ("id", "title", "content", "created_at", "updated_at")


@retried
async def export_my_data(services: Services, device: Device, caller: Caller) -> dict[str, Any]:
    """Return all data about the caller, as `data_of` does. The export is on record.

    Raises ReauthenticationRequired or SessionEnded, and Forbidden in an impersonated session.
    """
    proof = await prove(services, device, caller)
    async with services.database.writing() as session:
        _, current = await lock_proved(session, services, caller, proof)
        security_events.record_in(session, EventKind.EXPORTED, device, current)
    async with services.database.reading() as session:
        return await data_of(session, caller.user_id)


async def data_of(session: AsyncSession, user_id: UUID) -> dict[str, Any]:
    """Return what is stored about a user, in the types of JSON: without secrets, which say nothing
    about them, and without addresses of administrators. Of long lists it has the newest, and
    ``truncated`` names the lists that go on.

    Raises NotFound.
    """
    user = await session.scalar(
        select(User)
        .where(User.id == user_id, User.deleted_at.is_(None))
        .options(undefer(User.password_hash), *(undefer(getattr(User, name)) for name in _STATE))
    )
    if user is None:
        raise NotFound("There is no such account.")
    sessions, has_more_sessions = await _sessions(session, user_id)
    events, has_more_events = await _events(session, user_id)
    posts, has_more_posts = await _posts(session, user_id)
    identities = (await identities_of(session, [user_id]))[user_id]
    truncated = {
        "sessions": has_more_sessions,
        "security_events": has_more_events,
        "posts": has_more_posts,
    }
    return {
        "user": {**_row(user, (*_USER, *_STATE)), "has_password": user.has_password},
        "roles": list((await roles_of(session, [user_id]))[user_id]),
        "factors": await _factors(session, user_id),
        "identities": [_row(identity, _IDENTITY) for identity in identities],
        "sessions": [_of_owner(_row(one, _SESSION), "impersonator_id") for one in sessions],
        "security_events": [_of_owner(_row(event, _EVENT), "actor_id") for event in events],
        "posts": posts,
        "truncated": [name for name, has_more in truncated.items() if has_more],
    }


async def _sessions(session: AsyncSession, user_id: UUID) -> tuple[Sequence[LoginSession], bool]:
    """Return a user's newest sessions, and whether there are more."""
    rows = select(LoginSession).where(LoginSession.user_id == user_id)
    newest = rows.order_by(LoginSession.id.desc()).limit(MAX_SESSIONS + 1)
    found = (await session.scalars(newest)).all()
    return found[:MAX_SESSIONS], len(found) > MAX_SESSIONS


async def _events(session: AsyncSession, user_id: UUID) -> tuple[Sequence[SecurityEvent], bool]:
    """Return a user's newest events, and whether there are more."""
    found = await security_events.newest(session, user_id, MAX_EVENTS + 1)
    return found[:MAX_EVENTS], len(found) > MAX_EVENTS


async def _posts(session: AsyncSession, user_id: UUID) -> tuple[list[dict[str, Any]], bool]:
    """Return a user's newest posts within the limits, and whether there are more."""
    rows = (
        select(Post)
        .where(Post.author_id == user_id)
        .options(undefer(Post.content))
        .order_by(Post.id.desc())
        .limit(_POSTS_PER_STEP)
    )
    found: list[dict[str, Any]] = []
    size, step = 0, (await session.scalars(rows)).all()
    while step:
        for post in step:
            size += len(post.content.encode())
            if size > MAX_POSTS_SIZE or len(found) == MAX_POSTS:
                return found, True
            found.append(_row(post, _POST))
        step = (await session.scalars(rows.where(Post.id < step[-1].id))).all()
    return found, False


async def _factors(session: AsyncSession, user_id: UUID) -> dict[str, Any]:
    app = await session.scalar(select(TotpFactor).where(TotpFactor.user_id == user_id))
    passkeys = await session.scalars(
        select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)
    )
    codes = await session.scalars(select(RecoveryCode).where(RecoveryCode.user_id == user_id))
    return {
        "authenticator_app": _row(app, ("created_at",)) if app else None,
        "recovery_codes_used_at": [_plain(code.used_at) for code in codes],
        "passkeys": [_row(passkey, _PASSKEY) for passkey in passkeys],
    }


def _row(row: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _of_owner(row: dict[str, Any], actor: str) -> dict[str, Any]:
    return {**row, "ip": ip_for_owner(row["ip"], row[actor])}


def _plain(value: object) -> object:
    """Return a value in a type of JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
