"""What Alembic runs. `gatehouse migrate` hands it a connection; the `alembic` command gets one from the settings."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection

from db.engine import create_engine
from db.models import Base, UtcDateTime
from settings import load_settings


def render_without_our_code(kind: str, item: object, _: object) -> str | Literal[False]:
    """A migration says what a column is in the database; our types come and go."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite cannot alter most of a table: batch mode copies it instead.
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_without_our_code,
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_from_settings() -> None:
    engine = create_engine(load_settings().database_url.get_secret_value(), time_limit=None)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    asyncio.run(migrate_from_settings())
