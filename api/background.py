"""Background tasks of a serving process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Protocol

from api.signing_keys.watcher import KeyReloader
from db.database import Database
from db.replica import MEASURE_EVERY
from domain.accounts import prune_pictures
from domain.passwords import stored_costs
from domain.retention import prune, prune_tickets, purge
from domain.services import Services
from domain.subscriptions import POLL_EVERY, Subscriptions

logger = logging.getLogger("gatehouse")

PRUNE_EVERY = timedelta(hours=1)

# Each log-in page makes one, for a passkey.
PRUNE_TICKETS_EVERY = timedelta(minutes=1)

# It reads the whole list of files, which storages charge for.
PRUNE_PICTURES_EVERY = timedelta(hours=6)

# Only accounts with many posts leave anything, and finding that there are none is one index search.
PURGE_EVERY = timedelta(seconds=10)

# Users get hashes of the current costs when they sign in, so the costs of all change slowly.
LEARN_COSTS_EVERY = timedelta(minutes=10)

# Soon enough for the times in `domain/access_tokens/keys.py`, and cheap: it reads the names and
# times of a few files.
RELOAD_KEYS_EVERY = timedelta(seconds=1)

# Messages of this process are sent at once. This finds what other processes left behind, and what
# is due again.
SEND_EVERY = timedelta(seconds=1)


class Sender(Protocol):
    """Sends what is due in one queue of the outbox."""

    async def send_due(self) -> None: ...


@asynccontextmanager
async def pruning(database: Database, kept_for: timedelta) -> AsyncIterator[None]:
    """Prune every ``PRUNE_EVERY`` while the block runs, the first time after one such interval."""
    async with running(_prune_forever(database, kept_for)):
        yield


@asynccontextmanager
async def pruning_tickets(database: Database) -> AsyncIterator[None]:
    """Prune tickets every ``PRUNE_TICKETS_EVERY`` while the block runs."""
    async with running(_prune_tickets_forever(database)):
        yield


@asynccontextmanager
async def pruning_pictures(services: Services) -> AsyncIterator[None]:
    """Prune files of pictures every ``PRUNE_PICTURES_EVERY`` while the block runs."""
    async with running(_prune_pictures_forever(services)):
        yield


@asynccontextmanager
async def purging(database: Database) -> AsyncIterator[None]:
    """Delete what is left of deleted accounts while the block runs."""
    async with running(_purge_forever(database)):
        yield


@asynccontextmanager
async def learning_costs(services: Services) -> AsyncIterator[None]:
    """Learn what stored hashes cost, before the block and now and then while it runs."""
    await _learn_costs(services)
    async with running(_learn_costs_forever(services)):
        yield


@asynccontextmanager
async def sending(database: Database, senders: Iterable[Sender]) -> AsyncIterator[None]:
    """Send the messages of the outbox while the block runs. No sender waits for another."""
    async with running(_send_all(database, senders)):
        yield


@asynccontextmanager
async def reloading_keys(key_reloader: KeyReloader) -> AsyncIterator[None]:
    """Reload new and retired keys while the block runs."""
    async with running(_reload_keys_forever(key_reloader)):
        yield


@asynccontextmanager
async def telling(subscriptions: Subscriptions) -> AsyncIterator[None]:
    """Tell subscribers what happens while the block runs."""
    async with running(_tell_forever(subscriptions)):
        yield


@asynccontextmanager
async def measuring_replica(database: Database) -> AsyncIterator[None]:
    """Measure every ``MEASURE_EVERY`` how far the replica is behind while the block runs, if there
    is one."""
    if database.replica is None:
        yield
        return
    async with running(_measure_replica_forever(database)):
        yield


@asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Run a task while the block runs."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _measure_replica_forever(database: Database) -> None:
    while True:
        await database.wait_for_replica()
        await asyncio.sleep(MEASURE_EVERY.total_seconds())


async def _prune_forever(database: Database, kept_for: timedelta) -> None:
    while True:
        await asyncio.sleep(PRUNE_EVERY.total_seconds())
        try:
            deleted = await prune(database, kept_for=kept_for)
        except Exception as error:
            # The database may be available again next time. The error's text may quote a row.
            logger.warning("Pruning failed: %s", type(error).__name__)
        else:
            if deleted:
                logger.info("Pruned %d rows.", deleted)


async def _prune_tickets_forever(database: Database) -> None:
    while True:
        await asyncio.sleep(PRUNE_TICKETS_EVERY.total_seconds())
        try:
            await prune_tickets(database)
        except Exception as error:
            logger.warning("Pruning tickets failed: %s", type(error).__name__)


async def _prune_pictures_forever(services: Services) -> None:
    while services.pictures is not None:
        await asyncio.sleep(PRUNE_PICTURES_EVERY.total_seconds())
        try:
            deleted = await prune_pictures(services.database, services.pictures.store)
        except Exception as error:
            logger.warning("Pruning pictures failed: %s", type(error).__name__)
        else:
            if deleted:
                logger.info("Pruned %d files of pictures.", deleted)


async def _purge_forever(database: Database) -> None:
    while True:
        await asyncio.sleep(PURGE_EVERY.total_seconds())
        try:
            gone = await purge(database)
        except Exception as error:
            logger.warning("Purging failed: %s", type(error).__name__)
        else:
            if gone:
                logger.info("Purged %d deleted accounts.", gone)


async def _learn_costs_forever(services: Services) -> None:
    while True:
        await asyncio.sleep(LEARN_COSTS_EVERY.total_seconds())
        await _learn_costs(services)


async def _learn_costs(services: Services) -> None:
    try:
        async with services.database.reading() as session:
            services.hashing_queue.learn(await stored_costs.sample(session))
    except Exception as error:
        logger.warning("Reading the costs of stored hashes failed: %s", type(error).__name__)


async def _send_all(database: Database, senders: Iterable[Sender]) -> None:
    # At the end, all are cancelled together: each may take a while to stop.
    async with asyncio.TaskGroup() as group:
        for sender in senders:
            group.create_task(_send_forever(database, sender))


async def _send_forever(database: Database, sender: Sender) -> None:
    while True:
        # Before it looks, so that nothing that is written meanwhile has to wait.
        written = database.outbox_written
        try:
            await sender.send_due()
        except Exception as error:
            logger.warning("Sending messages failed: %s", type(error).__name__)
        await _wait(written, SEND_EVERY)


async def _tell_forever(subscriptions: Subscriptions) -> None:
    while True:
        await subscriptions.wait_for_subscribers()
        await asyncio.sleep(POLL_EVERY.total_seconds())
        try:
            await subscriptions.poll()
        except Exception as error:
            logger.warning("Reading events for subscriptions failed: %s", type(error).__name__)


async def _wait(event: asyncio.Event, limit: timedelta) -> None:
    """Wait for an event, or for as long as the limit."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit.total_seconds()):
            await event.wait()


async def _reload_keys_forever(key_reloader: KeyReloader) -> None:
    while True:
        await asyncio.sleep(RELOAD_KEYS_EVERY.total_seconds())
        try:
            # The folder may be on another machine, and slow.
            await asyncio.to_thread(key_reloader.reload)
        except Exception as error:
            logger.warning("Reloading the keys failed: %s", type(error).__name__)
