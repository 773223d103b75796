"""Insert many rows in one statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from db.models import Base


async def insert_what_is_new(
    session: AsyncSession,
    model: type[Base],
    rows: Sequence[dict[str, Any]],
    id: InstrumentedAttribute[Any],
) -> set[Any]:
    """Insert the rows that violate no unique constraint, and return their ids.

    The others do not undo the transaction.
    """
    if not rows:
        return set()
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(model) if is_sqlite else postgresql.insert(model)
    statement = insert.on_conflict_do_nothing().returning(id)
    # With nulls as values, all rows have the same columns and go into one statement.
    options = {"render_nulls": True}
    return set(await session.scalars(statement, list(rows), execution_options=options))
