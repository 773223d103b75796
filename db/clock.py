"""The clock of the database, which all processes and machines share."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from db.models import UtcDateTime


class DatabaseTime(FunctionElement[datetime]):
    """The time at which the database evaluates a statement, in UTC.

    PostgreSQL's `now()` is the start of the transaction, which may have waited for a lock since.
    """

    # A function, because SQLAlchemy compiles statements with an element of any other kind again and
    # again.
    inherit_cache = True
    type = UtcDateTime()


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
