"""What a serving process does by itself, beside answering."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from db.engine import Database
from domain.pruning import prune

logger = logging.getLogger("gatehouse")

PRUNE_EVERY = timedelta(hours=1)


@asynccontextmanager
async def pruning(database: Database, kept_for: timedelta) -> AsyncIterator[None]:
    """Prune while the block runs, for the first time when ``PRUNE_EVERY`` of it has gone: a start has better things to do."""
    task = asyncio.create_task(_prune_for_ever(database, kept_for))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _prune_for_ever(database: Database, kept_for: timedelta) -> None:
    while True:
        await asyncio.sleep(PRUNE_EVERY.total_seconds())
        try:
            deleted = await prune(database, kept_for=kept_for)
        except Exception as error:
            # The database may be away, and back the next time. Its text may quote a row.
            logger.warning("Nothing could be pruned: %s", type(error).__name__)
        else:
            if deleted:
                logger.info("Pruned %d rows.", deleted)
