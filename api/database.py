"""The database of the settings: whether its schema is up to date, and whether it accepts writes."""

import logging
import os
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from db import migrations
from db.engine import TIMEOUT, create_engine
from db.errors import is_away, reason
from db.migrations import Schema, SchemaMismatch
from db.replica import Replica
from settings import Settings

logger = logging.getLogger("gatehouse")


def create_engine_from(
    settings: Settings, *, time_limit: timedelta | None = TIMEOUT
) -> AsyncEngine:
    """Create the engine of DATABASE_URL. Raises SystemExit, with one line, if it cannot be used."""
    try:
        return create_engine(settings.database_url.get_secret_value(), time_limit=time_limit)
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None


def create_replica_from(settings: Settings) -> Replica | None:
    """Create the replica of DATABASE_READ_URL, or return None if it is not set. Raises SystemExit,
    with one line, if it cannot be used."""
    if settings.database_read_url is None:
        return None
    try:
        return Replica(settings.database_read_url.get_secret_value())
    except ValueError as error:
        message = str(error).replace("DATABASE_URL", "DATABASE_READ_URL")
        raise SystemExit(f"gatehouse: {message}") from None


async def prepare_database(engine: AsyncEngine) -> Schema:
    """Migrate an SQLite file; on PostgreSQL only check the schema. Return the schema.

    Raises SchemaMismatch, or the driver's error if the database is not available.
    """
    if engine.dialect.name == "sqlite":
        return await migrations.upgrade(engine)
    async with engine.connect() as connection:
        schema = await connection.run_sync(migrations.read_schema)
    schema.require_usable()
    return schema


class SchemaLog:
    """Logs that the schema excludes this code, and that it no longer does, once each.

    Balancers ask for ``/health/ready`` every second, and any client may.
    """

    def __init__(self) -> None:
        self._problem = ""

    def excluded(self, error: SchemaMismatch) -> None:
        if str(error) != self._problem:
            self._problem = str(error)
            logger.error("%s", error)

    def usable(self) -> None:
        if self._problem:
            self._problem = ""
            logger.warning("The database has a usable schema again.")


async def prepare_if_available(engine: AsyncEngine) -> None:
    """Prepare the database. A PostgreSQL that is not available does not prevent the start: it may
    be back in a moment, and until then every response says UNAVAILABLE."""
    try:
        schema = await prepare_database(engine)
    except SQLAlchemyError as error:
        if not may_come_back(engine, error):
            raise
        logger.warning("The database is not available: %s", reason(error))
    else:
        if schema.is_newer:
            logger.warning("The database has %s.", schema)


def may_come_back(engine: AsyncEngine, error: SQLAlchemyError) -> bool:
    """Return whether to start nevertheless. A file that cannot be opened now will not open later by
    itself."""
    return engine.dialect.name != "sqlite" and is_away(error)


def is_read_only(connection: Connection) -> bool:
    """Return whether the database is a PostgreSQL standby, as during a failover, or an SQLite file
    that this process may not write to. It waits for no writer."""
    if connection.dialect.name == "sqlite":
        return not is_writable(Path(connection.engine.url.database or ""))
    is_standby: bool = connection.scalar(text("SELECT pg_is_in_recovery()")) or False
    return is_standby


def is_writable(file: Path) -> bool:
    """Return whether the system lets this process write to an SQLite file and to its journal, which
    exists or is created in the same folder."""
    journal = file.absolute().with_name(f"{file.name}-wal")
    return (_may(file, os.W_OK) or not file.exists()) and (
        _may(journal, os.W_OK) if journal.exists() else _may(journal.parent, os.W_OK | os.X_OK)
    )


def _may(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
