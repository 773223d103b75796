"""Alembic's environment. `gatehouse migrate` passes a connection; the `alembic` command connects by
the settings."""

import asyncio
from typing import Literal

from alembic import context
from sqlalchemy import Connection

from db.engine import create_engine
from db.migrations.version import (
    VERSION_TABLE,
    read_schema,
    record_compatibility,
    rename_version_table,
)
from db.models import Base, UtcDateTime
from settings import load_settings


def render_without_our_code(kind: str, item: object, _: object) -> str | Literal[False]:
    """Render database types: migrations must not depend on the code of today."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


def migrate(connection: Connection) -> None:
    rename_version_table(connection)
    context.configure(
        connection=connection,
        version_table=VERSION_TABLE,
        target_metadata=Base.metadata,
        # SQLite cannot alter most of a table: batch mode copies it instead.
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_without_our_code,
    )
    with context.begin_transaction():
        context.run_migrations()
        if (revision := read_schema(connection).revision) is not None:
            script = context.script.get_revision(revision)
            record_compatibility(connection, script.module.oldest_compatible)


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
