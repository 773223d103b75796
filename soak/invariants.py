"""What must hold in the database after a scenario, whatever was interrupted."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing

from sqlalchemy import Select, exists, func, make_url, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import create_engine
from db.models import LoginSession, Post, SecurityEvent, User
from domain.security_events import EventKind
from soak.audited_clients import AuditedClient
from soak.figures import Figures

STARTS = (EventKind.REGISTERED, EventKind.LOGGED_IN, EventKind.PASSWORD_CHANGED)

_events = select(SecurityEvent.id).where(SecurityEvent.session_id == LoginSession.id)
_has_started = exists(_events.where(SecurityEvent.kind.in_(STARTS)))
_was_refreshed = exists(_events.where(SecurityEvent.kind == EventKind.REFRESHED))

# Each query counts the rows that break an invariant. Every such row is a partial write: the other
# part belongs to the same transaction.
INVARIANTS: Mapping[str, Select[int]] = {
    "users without a session": select(func.count(User.id)).where(
        ~exists().where(LoginSession.user_id == User.id)
    ),
    "users without a REGISTERED event": select(func.count(User.id)).where(
        ~exists().where(
            SecurityEvent.user_id == User.id, SecurityEvent.kind == EventKind.REGISTERED
        )
    ),
    "sessions without an event of their start": select(func.count(LoginSession.id)).where(
        ~_has_started
    ),
    "refreshed sessions without a REFRESHED event": select(func.count(LoginSession.id)).where(
        LoginSession.last_used_at > LoginSession.created_at, ~_was_refreshed
    ),
    "REFRESHED events of sessions not refreshed": select(func.count(LoginSession.id)).where(
        LoginSession.last_used_at == LoginSession.created_at, _was_refreshed
    ),
    "events of a missing session": select(func.count(SecurityEvent.id)).where(
        SecurityEvent.session_id.is_not(None),
        exists().where(User.id == SecurityEvent.user_id),
        ~exists().where(LoginSession.id == SecurityEvent.session_id),
    ),
    "REGISTERED events of a missing user": select(func.count(SecurityEvent.id)).where(
        SecurityEvent.kind == EventKind.REGISTERED,
        ~exists().where(User.id == SecurityEvent.user_id),
    ),
}


async def check(url: str, clients: Sequence[AuditedClient], figures: Figures) -> None:
    """Require that every acknowledged write is in the database, and that INVARIANTS hold.

    The clients must not have deleted their accounts.
    """
    engine = create_engine(url, to_read=True)
    async with engine.connect() as connection:
        figures.none("lost acknowledged writes", await _lost_writes(connection, clients))
        figures.none("partial writes", await _partial_writes(connection))
    await engine.dispose()
    if url.startswith("sqlite"):
        figures.none("SQLite integrity errors", _integrity_errors(url))


async def _partial_writes(connection: AsyncConnection) -> dict[str, int]:
    counts = {name: await connection.scalar(query) for name, query in INVARIANTS.items()}
    return {name: count for name, count in counts.items() if count}


async def _lost_writes(connection: AsyncConnection, clients: Sequence[AuditedClient]) -> list[str]:
    users = {row.id: row for row in await connection.execute(select(User.id, User.image_file))}
    posts = set(await connection.scalars(select(Post.id)))
    lost = []
    for client in clients:
        if client.id is None:
            continue
        if client.id not in users:
            lost.append(f"user {client.id}")
        elif users[client.id].image_file not in client.images:
            lost.append(f"picture of {client.id}")
        lost += [f"post {post}" for post in client.posts - posts]
    return lost


def _integrity_errors(url: str) -> list[object]:
    with closing(sqlite3.connect(str(make_url(url).database))) as file:
        pages = [row for row in file.execute("PRAGMA integrity_check") if row != ("ok",)]
        return pages + file.execute("PRAGMA foreign_key_check").fetchall()
