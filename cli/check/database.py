"""Check that the database is available, up to date and durable."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.database import create_engine_from
from cli.check.findings import Finding, Level, ok, problem, warning
from cli.check.schemas import usable
from cli.check.second_factors import stored_apps
from cli.check.sqlite import sqlite
from db import migrations
from db.engine import CONNECTIONS
from db.errors import reason
from db.models import Base
from settings import Settings

_DATABASE = "DATABASE_URL"

# For all queries together. A database that takes longer counts as not available.
_TIMEOUT = timedelta(seconds=8)

# Two machines by NTP are milliseconds apart, and a query takes at most some seconds.
_MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)

# Each worker has one pool to read and one to write.
CONNECTIONS_PER_WORKER = 2 * CONNECTIONS


def database(settings: Settings) -> Iterator[Finding]:
    url = make_url(settings.database_url.get_secret_value())
    if url.get_backend_name() == "sqlite":
        yield from sqlite(Path(url.database or ""), settings)
    else:
        yield from asyncio.run(_postgresql(settings))


async def _postgresql(settings: Settings) -> list[Finding]:
    try:
        async with _connected(settings) as connection:
            tables = [await _schema(connection), await _writes(connection)]
            return [
                *tables,
                await _durability(connection),
                await _connections(connection, settings),
                await _clock(connection),
                *(await connection.run_sync(stored_apps, settings) if _are_usable(tables) else ()),
            ]
    except (SQLAlchemyError, OSError) as error:
        return [_unavailable(error)]


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[AsyncConnection]:
    engine = create_engine_from(settings)
    try:
        async with asyncio.timeout(_TIMEOUT.total_seconds()), engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _unavailable(error: Exception) -> Finding:
    return problem(_DATABASE, f"cannot be used: {reason(error) or 'it does not respond'}")


async def _schema(connection: AsyncConnection) -> Finding:
    schema = await connection.run_sync(migrations.read_schema)
    try:
        schema.require_usable()
    except migrations.SchemaMismatch as error:
        return problem(_DATABASE, str(error))
    return usable("PostgreSQL", schema)


async def _writes(connection: AsyncConnection) -> Finding:
    """Check the rights of the role. That the server is not a standby, the connection has shown."""
    missing = [
        f"{right} on {table}"
        for table in Base.metadata.tables
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE")
        if await _lacks(connection, table, right)
    ]
    if missing:
        return problem(_DATABASE, f"the role may not {', '.join(missing)}")
    statement = text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if await connection.scalar(statement):
        return warning(_DATABASE, "the role is a superuser: deploy/roles.sql makes one that is not")
    return ok(_DATABASE, "a primary, and the role may write to its tables")


async def _lacks(connection: AsyncConnection, table: str, right: str) -> bool:
    """Return whether the role lacks a right on a table that exists."""
    statement = text("SELECT NOT has_table_privilege(to_regclass(:table), :right)")
    lacks: bool | None = await connection.scalar(statement, {"table": table, "right": right})
    return bool(lacks)


def _are_usable(tables: Iterable[Finding]) -> bool:
    return all(finding.level is not Level.PROBLEM for finding in tables)


async def _durability(connection: AsyncConnection) -> Finding:
    """Check the settings of https://www.postgresql.org/docs/current/runtime-config-wal.html."""
    off = [
        name
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if await _setting(connection, name) == "off"
    ]
    if off:
        return problem(_DATABASE, f"may lose committed transactions: {', '.join(off)} off")
    return ok(_DATABASE, "keeps committed transactions")


async def allowed_connections(connection: AsyncConnection) -> int:
    """Return how many connections the server accepts of roles that are no superusers."""
    reserved = int(await _setting(connection, "superuser_reserved_connections"))
    return int(await _setting(connection, "max_connections")) - reserved


def workers_during_restart(settings: Settings) -> int:
    """Return the number of workers. During a restart of several there is one more."""
    return settings.workers + (settings.workers > 1)


async def _connections(connection: AsyncConnection, settings: Settings) -> Finding:
    allowed = await allowed_connections(connection)
    # With a replica, each worker has one more, which measures how far it is behind.
    each = CONNECTIONS_PER_WORKER + (settings.database_read_url is not None)
    needed = workers_during_restart(settings) * each
    message = f"allows {allowed} connections; this server opens up to {needed}"
    if needed > allowed:
        return problem(_DATABASE, f"{message}: raise max_connections or lower WORKERS")
    return ok(_DATABASE, message)


async def _clock(connection: AsyncConnection) -> Finding:
    """Compare the clocks of the database and of this machine: sessions expire by both."""
    theirs = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
    apart = abs((theirs - datetime.now(UTC)).total_seconds())
    if apart > _MAX_CLOCK_DIFFERENCE.total_seconds():
        return problem(
            _DATABASE, f"has a clock {apart:.0f} seconds apart from this machine's: set both by NTP"
        )
    return ok(_DATABASE, "has the time of this machine")


async def _setting(connection: AsyncConnection, name: str) -> str:
    value: str = (
        await connection.execute(text("SELECT current_setting(:name)"), {"name": name})
    ).scalar_one()
    return value
