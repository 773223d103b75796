"""`gatehouse prune`: delete what is older than RETENTION_DAYS."""

import asyncio

import click

from api.database import create_engine_from
from cli.usage import examples
from db.database import Database
from domain import retention
from settings import Settings, load_settings


@click.command(epilog=examples("gatehouse prune"))
def prune() -> None:
    """Delete old sessions and security events.

    Deletes sessions that ended and security events that happened more than RETENTION_DAYS ago, and
    what is left of deleted accounts. `gatehouse serve` does the same.
    """
    asyncio.run(_prune(load_settings()))


async def _prune(settings: Settings) -> None:
    database = Database(create_engine_from(settings))
    try:
        deleted = await retention.prune(database, kept_for=settings.retention)
        await retention.purge(database)
    finally:
        await database.close()
    print(f"Gatehouse: deleted {deleted} old rows.")
