"""What is in the database, held against what was acknowledged, and against itself."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing

from sqlalchemy import Select, exists, func, make_url, select
from sqlalchemy.ext.asyncio import AsyncConnection

from db.engine import create_engine
from db.models import LoginSession, Post, SecurityEvent, User
from domain.security_events import EventKind
from soak.audited_clients import Visitor
from soak.figures import Figures

STARTS = (EventKind.REGISTERED, EventKind.LOGGED_IN, EventKind.PASSWORD_CHANGED)

_events = select(SecurityEvent.id).where(SecurityEvent.session_id == LoginSession.id)
_has_started = exists(_events.where(SecurityEvent.kind.in_(STARTS)))
_was_refreshed = exists(_events.where(SecurityEvent.kind == EventKind.REFRESHED))

# Each is half of what one transaction writes.
HALVES: Mapping[str, Select[int]] = {
    "people without a session": select(func.count(User.id)).where(
        ~exists().where(LoginSession.user_id == User.id)
    ),
    "people whose registration is not on record": select(func.count(User.id)).where(
        ~exists().where(
            SecurityEvent.user_id == User.id, SecurityEvent.kind == EventKind.REGISTERED
        )
    ),
    "sessions whose start is not on record": select(func.count(LoginSession.id)).where(
        ~_has_started
    ),
    "sessions whose refresh is not on record": select(func.count(LoginSession.id)).where(
        LoginSession.last_used_at > LoginSession.created_at, ~_was_refreshed
    ),
    "refreshes on record of sessions that know of none": select(func.count(LoginSession.id)).where(
        LoginSession.last_used_at == LoginSession.created_at, _was_refreshed
    ),
    "events of a session that is not there": select(func.count(SecurityEvent.id)).where(
        SecurityEvent.session_id.is_not(None),
        exists().where(User.id == SecurityEvent.user_id),
        ~exists().where(LoginSession.id == SecurityEvent.session_id),
    ),
    "events of people who are not there": select(func.count(SecurityEvent.id)).where(
        SecurityEvent.kind == EventKind.REGISTERED,
        ~exists().where(User.id == SecurityEvent.user_id),
    ),
}


async def check(url: str, visitors: Sequence[Visitor], figures: Figures) -> None:
    """That everything acknowledged is there, and nothing by half. For people of whom none deletes their account."""
    engine = create_engine(url, to_read=True)
    async with engine.connect() as connection:
        figures.none("acknowledged, and lost", await _lost(connection, visitors))
        figures.none("halves", await _halves(connection))
    await engine.dispose()
    if url.startswith("sqlite"):
        figures.none("broken pages of SQLite", _broken(url))


async def _halves(connection: AsyncConnection) -> dict[str, int]:
    counted = {what: await connection.scalar(query) for what, query in HALVES.items()}
    return {what: number for what, number in counted.items() if number}


async def _lost(connection: AsyncConnection, visitors: Sequence[Visitor]) -> list[str]:
    people = {row.id: row for row in await connection.execute(select(User.id, User.image_file))}
    posts = set(await connection.scalars(select(Post.id)))
    lost = []
    for visitor in visitors:
        if visitor.id is None:
            continue
        if visitor.id not in people:
            lost.append(f"account {visitor.id}")
        elif people[visitor.id].image_file not in visitor.images:
            lost.append(f"picture of {visitor.id}")
        lost += [f"post {post}" for post in visitor.posts - posts]
    return lost


def _broken(url: str) -> list[object]:
    with closing(sqlite3.connect(str(make_url(url).database))) as file:
        pages = [row for row in file.execute("PRAGMA integrity_check") if row != ("ok",)]
        return pages + file.execute("PRAGMA foreign_key_check").fetchall()
