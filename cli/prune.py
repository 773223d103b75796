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


@click.command(epilog=examples("gatehouse prune"))
def prune() -> None:
    """Delete old sessions and security events.

    Deletes sessions that ended and security events that happened more than RETENTION_DAYS ago, and
    what is left of deleted accounts, and files of pictures that no user has. `gatehouse serve` does
    the same.
    """
    asyncio.run(_prune(load_settings()))


async def _prune(settings: Settings) -> None:
    database = Database(create_engine_from(settings))
    try:
        deleted = await retention.prune(database, kept_for=settings.retention)
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
