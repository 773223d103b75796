"""The history of the tables, and how a database is brought up to date. Alembic does the work."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

# Any number will do that nothing else in the database takes a lock by.
_LOCK = 7_340_201

_scripts = Path(__file__).parent


async def upgrade(engine: AsyncEngine) -> None:
    """Bring the tables up to date, all the way or not at all. Safe when several processes do it at once."""
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)


def is_current(connection: Connection) -> bool:
    """Whether the tables are those that this code was written for."""
    heads = ScriptDirectory(str(_scripts)).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


def _upgrade(connection: Connection) -> None:
    # SQLite's transaction has the write lock already. Whoever comes second finds the work done.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = Config()
    config.set_main_option("script_location", str(_scripts))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
