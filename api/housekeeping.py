"""What a serving process does by itself, beside answering."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from db.engine import Database
from domain.errors import refusal_for
from domain.pruning import prune

logger = logging.getLogger("gatehouse")


@asynccontextmanager
async def pruning_every_hour(
    database: Database, kept_for: timedelta, *, every: timedelta = timedelta(hours=1)
) -> AsyncIterator[None]:
    """Prune while the block runs, for the first time when an hour of it has gone."""
    task = asyncio.create_task(_prune_for_ever(database, kept_for, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _prune_for_ever(database: Database, kept_for: timedelta, every: timedelta) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            deleted = await prune(database, kept_for=kept_for)
        except Exception as error:
            # Logged, and tried again the next time: the database may be away.
            refusal_for(error, request_id="prune")
        else:
            logger.info("pruned %d rows", deleted)
