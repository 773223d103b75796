"""Check that the replica is a standby of the primary, up to date and not behind."""

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from api.database import create_engine_from, create_replica_from
from cli.check.database import allowed_connections, workers_during_restart
from cli.check.findings import Finding, ok, problem
from db import migrations
from db.errors import reason
from db.replica import CONNECTIONS_PER_WORKER, MAX_LAG, Unusable, catch_up, read_position
from settings import Settings

_REPLICA = "DATABASE_READ_URL"

# For each host. One that takes longer counts as not available.
_TIMEOUT = timedelta(seconds=4)


def replica(settings: Settings) -> Iterator[Finding]:
    found = create_replica_from(settings)
    if found is not None:
        yield from asyncio.run(_replica(settings, found.engines))


async def _replica(settings: Settings, hosts: tuple[AsyncEngine, ...]) -> list[Finding]:
    primary = create_engine_from(settings)
    try:
        findings = [await _host(host, primary, settings) for host in hosts]
    finally:
        for engine in (primary, *hosts):
            await engine.dispose()
    if len(hosts) == 1:
        return findings
    return [
        Finding(one.level, one.item, f"host {number} {one.message}")
        for number, one in enumerate(findings, start=1)
    ]


async def _host(host: AsyncEngine, primary: AsyncEngine, settings: Settings) -> Finding:
    try:
        async with asyncio.timeout(_TIMEOUT.total_seconds()), host.connect() as connection:
            return await _standby(connection, host, primary, settings)
    except Unusable as error:
        return problem(_REPLICA, f"is not read: {error}")
    except (SQLAlchemyError, OSError) as error:
        return problem(_REPLICA, f"cannot be used: {reason(error) or 'it does not respond'}")


async def _standby(
    connection: AsyncConnection, host: AsyncEngine, primary: AsyncEngine, settings: Settings
) -> Finding:
    lag = await _lag(host, primary)
    if lag is None:
        return problem(_REPLICA, f"is not read: it is {MAX_LAG.total_seconds():g} s behind")
    try:
        (await connection.run_sync(migrations.read_schema)).require_usable()
    except migrations.SchemaMismatch as error:
        return problem(_REPLICA, str(error))
    allowed = await allowed_connections(connection)
    needed = workers_during_restart(settings) * CONNECTIONS_PER_WORKER
    if needed > allowed:
        return problem(
            _REPLICA,
            f"allows {allowed} connections; this server opens up to {needed}: raise max_connections",
        )
    return ok(_REPLICA, f"is a standby of the primary, {lag * 1000:.0f} ms behind")


async def _lag(host: AsyncEngine, primary: AsyncEngine) -> float | None:
    """Return in seconds how long the host takes to show what the primary has, or None if that is
    too long."""
    async with primary.connect() as connection:
        position = await read_position(connection)
    start = time.monotonic()
    try:
        async with asyncio.timeout(MAX_LAG.total_seconds()):
            await catch_up(host, position)
    except TimeoutError:
        return None
    return time.monotonic() - start
