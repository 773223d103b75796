"""The database of the settings, and whether its schema is up to date."""

import logging
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrations
from db.engine import TIMEOUT, create_engine
from db.errors import is_away, reason
from settings import Settings

logger = logging.getLogger("gatehouse")


class SchemaOutOfDate(Exception):
    """The database has another schema than this code needs, and PostgreSQL is never migrated
    unasked."""


def create_engine_from(
    settings: Settings, *, time_limit: timedelta | None = TIMEOUT
) -> AsyncEngine:
    """Create the engine of DATABASE_URL. Raises SystemExit, with one line, if it cannot be used."""
    try:
        return create_engine(settings.database_url.get_secret_value(), time_limit=time_limit)
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None


async def prepare_database(engine: AsyncEngine) -> None:
    """Migrate an SQLite file; on PostgreSQL only check the schema.

    Raises SchemaOutOfDate, or the driver's error if the database is not available.
    """
    if engine.dialect.name == "sqlite":
        await migrations.upgrade(engine)
        return
    async with engine.connect() as connection:
        if not await connection.run_sync(migrations.is_current):
            raise SchemaOutOfDate(
                "The database's schema is not up to date: run `gatehouse migrate`."
            )


async def prepare_if_available(engine: AsyncEngine) -> None:
    """Prepare the database. A PostgreSQL that is not available does not prevent the start: it may
    be back in a moment, and until then every response says UNAVAILABLE."""
    try:
        await prepare_database(engine)
    except SQLAlchemyError as error:
        if not may_come_back(engine, error):
            raise
        logger.warning("The database is not available: %s", reason(error))


def may_come_back(engine: AsyncEngine, error: SQLAlchemyError) -> bool:
    """Return whether to start nevertheless. A file that cannot be opened now will not open later by
    itself."""
    return engine.dialect.name != "sqlite" and is_away(error)
