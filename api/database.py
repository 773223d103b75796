"""The database of the settings, and whether it is what this code was written for."""

import logging
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrations
from db.engine import PATIENCE, create_engine
from db.errors import is_away, reason
from settings import Settings

logger = logging.getLogger("gatehouse")


class SchemaOutOfDate(Exception):
    """The database is not what this code was written for, and is not ours to change unasked."""


def create_engine_from(
    settings: Settings, *, time_limit: timedelta | None = PATIENCE
) -> AsyncEngine:
    """Raises SystemExit, with a sentence, for a DATABASE_URL that cannot be used."""
    try:
        return create_engine(settings.database_url.get_secret_value(), time_limit=time_limit)
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None


async def prepare_database(engine: AsyncEngine) -> None:
    """Bring an SQLite file up to date; on PostgreSQL, where a schema is changed on purpose, only look.

    Raises SchemaOutOfDate, and what the driver raises when the database is away.
    """
    if engine.dialect.name == "sqlite":
        await migrations.upgrade(engine)
        return
    async with engine.connect() as connection:
        if not await connection.run_sync(migrations.is_current):
            raise SchemaOutOfDate(
                "The database's schema is not up to date: run `gatehouse migrate`."
            )


async def prepare_if_it_is_there(engine: AsyncEngine) -> None:
    """A PostgreSQL that is away keeps nothing from starting: it may be back in a moment, and until then every answer
    says that it is away."""
    try:
        await prepare_database(engine)
    except SQLAlchemyError as error:
        if not may_come_back(engine, error):
            raise
        logger.warning("The database cannot be reached: %s", reason(error))


def may_come_back(engine: AsyncEngine, error: SQLAlchemyError) -> bool:
    """Whether to start all the same. A file that cannot be opened now will not open later by itself."""
    return engine.dialect.name != "sqlite" and is_away(error)
