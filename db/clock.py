"""The clock of the database, which all processes and machines share."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles

from db.models import UtcDateTime


class DatabaseTime(ColumnElement[Any]):
    """The time at which the database evaluates a statement, in UTC.

    PostgreSQL's `now()` is the start of the transaction, which may have waited for a lock since.
    """

    type = UtcDateTime()
    inherit_cache = True


async def read_clock(session: AsyncSession) -> datetime:
    """Return the time of the database."""
    now: datetime = (await session.execute(select(DatabaseTime()))).scalar_one()
    return now


@compiles(DatabaseTime)
def _in_postgresql(*_: Any, **__: Any) -> str:
    return "clock_timestamp()"


@compiles(DatabaseTime, "sqlite")
def _in_sqlite(*_: Any, **__: Any) -> str:
    # `%f` has milliseconds, and SQLAlchemy reads microseconds.
    return "strftime('%Y-%m-%d %H:%M:%f000', 'now')"
