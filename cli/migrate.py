"""`gatehouse migrate`: bring the database's schema up to date."""

import asyncio

import click

from api.database import create_engine_from
from cli.usage import examples
from db import migrations
from settings import Settings, load_settings


@click.command(epilog=examples("gatehouse migrate"))
def migrate() -> None:
    """Bring the database's schema up to date.

    Several processes may run it at the same time. It applies all missing migrations or none.
    """
    asyncio.run(_migrate(load_settings()))


async def _migrate(settings: Settings) -> None:
    engine = create_engine_from(settings, time_limit=None)
    try:
        await migrations.upgrade(engine)
    finally:
        await engine.dispose()
    print("Gatehouse: the database is up to date.")
