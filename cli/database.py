"""The database, for one run of a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from api.database import create_engine_from
from db.engine import TIMEOUT
from db.errors import reason
from db.migrations import SchemaMismatch
from settings import Settings


@asynccontextmanager
async def open_engine(
    settings: Settings, *, time_limit: timedelta | None = TIMEOUT
) -> AsyncIterator[AsyncEngine]:
    """Open the engine of DATABASE_URL, and dispose of it at the end of the block.

    Raises SystemExit with one line for errors of the database.
    """
    engine = create_engine_from(settings, time_limit=time_limit)
    try:
        yield engine
    except SchemaMismatch as error:
        raise SystemExit(f"gatehouse: {error}") from None
    except SQLAlchemyError as error:
        raise SystemExit(f"gatehouse: {reason(error)}") from None
    finally:
        await engine.dispose()
