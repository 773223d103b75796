"""The SQL statements that a block executes, and how the database plans them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Engine, event, text

from domain.services import Services


class Statement(NamedTuple):
    sql: str
    parameters: Any


@contextmanager
def statements() -> Iterator[list[Statement]]:
    """Yield a list to which each statement executed inside the block is added, in order."""
    seen: list[Statement] = []

    def record(connection: Any, cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        seen.append(Statement(sql, parameters))

    # On the class, because a Database has two engines: one to read and one to write.
    event.listen(Engine, "before_cursor_execute", record)
    yield seen
    event.remove(Engine, "before_cursor_execute", record)


@contextmanager
def begun(beginning: str, *, times: int = 1) -> Iterator[asyncio.Event]:
    """Yield an event that is set when a statement with this beginning begins for this time."""
    has_begun, left = asyncio.Event(), [times]

    def count(connection: Any, cursor: Any, sql: str, *_: Any) -> None:
        left[0] -= sql.startswith(beginning)
        if left[0] <= 0:
            has_begun.set()

    event.listen(Engine, "before_cursor_execute", count)
    yield has_begun
    event.remove(Engine, "before_cursor_execute", count)


async def explain(services: Services, statement: Statement, *, is_large_table: bool = False) -> str:
    """Return the query plan of a statement.

    PostgreSQL reads small tables as a whole. Unless the table is large, it is told to use an index.
    """
    async with services.database.writing() as session:
        connection = await session.connection()
        if connection.dialect.name == "sqlite":
            explain = "EXPLAIN QUERY PLAN"
        else:
            if not is_large_table:
                await session.execute(text("SET LOCAL enable_seqscan = off"))
                await session.execute(text("SET LOCAL enable_bitmapscan = off"))
            explain = "EXPLAIN (COSTS OFF)"
        rows = await connection.exec_driver_sql(f"{explain} {statement.sql}", statement.parameters)
        return "\n".join(str(row) for row in rows)
