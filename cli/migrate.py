"""`gatehouse migrate`: bring the database's schema up to date, or to an earlier revision."""

import asyncio

import click
from sqlalchemy.ext.asyncio import AsyncEngine

from api.database import create_engine_from
from cli.usage import examples
from db import migrations
from db.migrations import DataLoss, Schema
from settings import load_settings


@click.command(epilog=examples("gatehouse migrate", "gatehouse migrate --to 0010"))
@click.option(
    "--to",
    "revision",
    type=click.Choice(migrations.REVISIONS),
    metavar="REVISION",
    help="Migrate to this revision of the schema, up or down.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation before data is lost.")
def migrate(revision: str | None, yes: bool) -> None:
    """Bring the database's schema up to date, or to a given revision.

    Several processes may run it at the same time. It applies all migrations or none. To go back to
    an older revision, use the newer release, and stop its servers first.
    """
    engine = create_engine_from(load_settings(), time_limit=None)
    try:
        schema = asyncio.run(_migrate(engine, revision, may_lose_data=yes))
    except DataLoss as error:
        if not click.confirm(f"{error} Migrate to {revision}?", err=True):
            raise SystemExit("gatehouse: nothing was changed") from None
        schema = asyncio.run(_migrate(engine, revision, may_lose_data=True))
    print(f"Gatehouse: the database {'is up to date' if schema.is_current else f'has {schema}'}.")


async def _migrate(engine: AsyncEngine, revision: str | None, *, may_lose_data: bool) -> Schema:
    try:
        if revision is None:
            return await migrations.upgrade(engine)
        return await migrations.migrate_to(engine, revision, may_lose_data=may_lose_data)
    finally:
        await engine.dispose()
