"""The database, for one run of a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from api.database import create_engine_from
from db.engine import TIMEOUT
from settings import Settings


@asynccontextmanager
async def open_engine(
    settings: Settings, *, time_limit: timedelta | None = TIMEOUT
) -> AsyncIterator[AsyncEngine]:
    """Open the engine of DATABASE_URL, and dispose of it at the end of the block.

    Errors of the database end the command in a line: see `server/exit.py`.
    """
    engine = create_engine_from(settings, time_limit=time_limit)
    try:
        yield engine
    finally:
        await engine.dispose()
