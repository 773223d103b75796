"""Check that the database is available, up to date and durable."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.database import create_engine_from, is_writable
from cli.check.findings import Finding, ok, problem, warning
from cli.check.mounts import file_system_of
from db import migrations
from db.engine import CONNECTIONS
from db.errors import reason
from db.models import Base
from settings import Settings

_DATABASE = "DATABASE_URL"

# For all queries together. A database that takes longer counts as not available.
_TIMEOUT = timedelta(seconds=8)

# SQLite's locks and shared memory do not work on these
# (https://www.sqlite.org/wal.html, "Overview").
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs"}

_MIN_FREE_BYTES = 1024**3

# Each worker has one pool to read and one to write.
CONNECTIONS_PER_WORKER = 2 * CONNECTIONS


def database(settings: Settings) -> Iterator[Finding]:
    url = create_engine_from(settings).url
    if url.get_backend_name() == "sqlite":
        yield from _sqlite(settings, Path(url.database or ""))
    else:
        yield from asyncio.run(_postgresql(settings))


def _sqlite(settings: Settings, file: Path) -> Iterator[Finding]:
    folder = file.absolute().parent
    if not is_writable(file):
        yield problem(
            _DATABASE,
            f"cannot write to {file}: give the file and its folder to the server's user",
        )
        return
    yield from _folder(folder)
    if file.exists():
        yield asyncio.run(_sqlite_file(settings))
    else:
        # Opening the file would create it.
        yield ok(_DATABASE, "SQLite; `gatehouse serve` will create the file")


def _folder(folder: Path) -> Iterator[Finding]:
    kind = file_system_of(folder)
    if kind in _REMOTE:
        yield problem(
            _DATABASE, f"is on {kind}, where SQLite's locks do not work: use a local disk"
        )
    free = shutil.disk_usage(folder).free
    if free < _MIN_FREE_BYTES:
        yield warning(_DATABASE, f"has {free // 1024**2} MiB of free disk space")


async def _sqlite_file(settings: Settings) -> Finding:
    try:
        async with _connected(settings) as connection:
            await connection.run_sync(migrations.require_known)
            if await connection.run_sync(migrations.is_current):
                return ok(_DATABASE, "SQLite, up to date")
            return ok(_DATABASE, "SQLite; `gatehouse serve` will migrate it")
    except migrations.SchemaMismatch as error:
        return problem(_DATABASE, str(error))
    except (SQLAlchemyError, OSError) as error:
        return _unavailable(error)


async def _postgresql(settings: Settings) -> list[Finding]:
    try:
        async with _connected(settings) as connection:
            return [
                await _schema(connection),
                await _writes(connection),
                await _durability(connection),
                await _connections(connection, settings),
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
    try:
        await connection.run_sync(migrations.require_current)
    except migrations.SchemaMismatch as error:
        return problem(_DATABASE, str(error))
    return ok(_DATABASE, "PostgreSQL, up to date")


async def _writes(connection: AsyncConnection) -> Finding:
    """Check the rights of the role. That the server is not a standby, the connection has shown."""
    missing = [
        f"{right} on {table}"
        for table in Base.metadata.tables
        for right in ("SELECT", "INSERT", "DELETE")
        if await _lacks(connection, table, right)
    ]
    if missing:
        return problem(_DATABASE, f"the role may not {', '.join(missing)}")
    return ok(_DATABASE, "a primary, and the role may write to its tables")


async def _lacks(connection: AsyncConnection, table: str, right: str) -> bool:
    """Return whether the role lacks a right on a table that exists."""
    statement = text("SELECT NOT has_table_privilege(to_regclass(:table), :right)")
    lacks: bool | None = await connection.scalar(statement, {"table": table, "right": right})
    return bool(lacks)


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


async def _connections(connection: AsyncConnection, settings: Settings) -> Finding:
    reserved = int(await _setting(connection, "superuser_reserved_connections"))
    allowed = int(await _setting(connection, "max_connections")) - reserved
    # During a restart of several workers there is one more.
    workers = settings.workers + (settings.workers > 1)
    needed = workers * CONNECTIONS_PER_WORKER
    message = f"allows {allowed} connections; this server opens up to {needed}"
    if needed > allowed:
        return problem(_DATABASE, f"{message}: raise max_connections or lower WORKERS")
    return ok(_DATABASE, message)


async def _setting(connection: AsyncConnection, name: str) -> str:
    value: str = (
        await connection.execute(text("SELECT current_setting(:name)"), {"name": name})
    ).scalar_one()
    return value
