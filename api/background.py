"""What a serving process does by itself, beside answering."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from api.signing_keys.watcher import KeyWatch
from db.database import Database
from domain.retention import prune

logger = logging.getLogger("gatehouse")

PRUNE_EVERY = timedelta(hours=1)

# Soon enough for what domain/keys.py counts on, and no work: it asks for the names and the times of a few files.
LOOK_FOR_KEYS_EVERY = timedelta(seconds=1)


@asynccontextmanager
async def pruning(database: Database, kept_for: timedelta) -> AsyncIterator[None]:
    """Prune while the block runs, for the first time when ``PRUNE_EVERY`` of it has gone: a start has better things to do."""
    async with beside(_prune_for_ever(database, kept_for)):
        yield


@asynccontextmanager
async def watching(key_watch: KeyWatch) -> AsyncIterator[None]:
    """Look for new and retired keys while the block runs."""
    async with beside(_look_for_ever(key_watch)):
        yield


@asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do this while the block runs, and no longer."""
    task = asyncio.create_task(work)
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


async def _look_for_ever(key_watch: KeyWatch) -> None:
    while True:
        await asyncio.sleep(LOOK_FOR_KEYS_EVERY.total_seconds())
        try:
            # The folder may be another machine's, and take its time.
            await asyncio.to_thread(key_watch.look)
        except Exception as error:
            logger.warning("Nobody could look for keys: %s", type(error).__name__)
