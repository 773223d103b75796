"""What a request asks of the database."""

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
    """The statements that run inside the block, in their order."""
    seen: list[Statement] = []

    def see(connection: Any, cursor: Any, sql: str, parameters: Any, *_: Any) -> None:
        seen.append(Statement(sql, parameters))

    # Of every engine: there is one to read with, and one to write.
    event.listen(Engine, "before_cursor_execute", see)
    yield seen
    event.remove(Engine, "before_cursor_execute", see)


async def plan(services: Services, statement: Statement, *, of_a_large_table: bool = False) -> str:
    """How the database goes about a statement, given that it uses an index where one helps."""
    async with services.database.writing() as session:
        connection = await session.connection()
        if connection.dialect.name == "sqlite":
            explain = "EXPLAIN QUERY PLAN"
        else:
            if not of_a_large_table:
                # In an all but empty table PostgreSQL would rather read everything.
                await session.execute(text("SET LOCAL enable_seqscan = off"))
                await session.execute(text("SET LOCAL enable_bitmapscan = off"))
            explain = "EXPLAIN (COSTS OFF)"
        rows = await connection.exec_driver_sql(f"{explain} {statement.sql}", statement.parameters)
        return "\n".join(str(row) for row in rows)
