"""`gatehouse prune`: delete what is older than RETENTION_DAYS, and files that nothing refers to."""

import asyncio

import click

from api.database import create_engine_from
from api.picture_storage import create_store
from cli.usage import examples
from db.database import Database
from domain import retention
from domain.accounts import prune_pictures
from domain.pictures.storage import PicturesUnavailable
from settings import Settings, load_settings


@click.command(epilog=examples("gatehouse prune", "gatehouse prune --full-speed"))
@click.option("--full-speed", is_flag=True, help="Do not pause after each batch of rows.")
def prune(full_speed: bool) -> None:
    """Delete old sessions and security events.

    Deletes sessions that ended and security events that happened more than RETENTION_DAYS ago, and
    what is left of deleted accounts, and files of pictures that no user has. `gatehouse serve` does
    the same. It pauses after each batch of rows for three times as long as the batch took, and on
    PostgreSQL it leaves the rest to another process that is pruning.
    """
    asyncio.run(_prune(load_settings(), full_speed=full_speed))


async def _prune(settings: Settings, *, full_speed: bool) -> None:
    database = Database(create_engine_from(settings))
    try:
        deleted = await retention.prune(database, kept_for=settings.retention, paced=not full_speed)
        await retention.purge(database)
        print(f"Gatehouse: deleted {deleted} old rows.")
        if store := create_store(settings):
            files = await prune_pictures(database, store)
            if files:
                print(f"Gatehouse: deleted {files} files of pictures.")
    except PicturesUnavailable:
        raise SystemExit("gatehouse: the pictures in PICTURES are not available") from None
    finally:
        await database.close()
