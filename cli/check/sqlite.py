"""Check an SQLite file without changing it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError

from api.database import is_writable
from cli.check.files import exposures
from cli.check.findings import Finding, ok, problem, warning
from cli.check.mounts import file_system_of
from cli.check.schemas import usable
from cli.check.second_factors import stored_apps
from db import migrations
from db.errors import reason
from db.migrations import Schema
from settings import Settings

_DATABASE = "DATABASE_URL"

# SQLite's locks and shared memory do not work on these
# (https://www.sqlite.org/wal.html, "Overview").
_REMOTE = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs"}

_MIN_FREE_BYTES = 1024**3

# https://www.sqlite.org/tempfiles.html: the log, its index, and the journal of another mode.
_WAL, _INDEX, _JOURNAL = "-wal", "-shm", "-journal"


def sqlite(file: Path, settings: Settings) -> Iterator[Finding]:
    folder = file.absolute().parent
    files = [file, *(_beside(file, suffix) for suffix in (_WAL, _INDEX, _JOURNAL))]
    if not is_writable(file):
        yield problem(
            _DATABASE,
            f"cannot write to {file}: give the file and its folder to the server's user",
        )
        return
    yield from exposures(files, folder, _DATABASE)
    yield from _folder(folder)
    if file.exists():
        yield from _file(file, settings)
    else:
        # Opening the file would create it.
        yield ok(_DATABASE, "SQLite; `gatehouse serve` will create the file")


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _folder(folder: Path) -> Iterator[Finding]:
    kind = file_system_of(folder)
    if kind in _REMOTE:
        yield problem(
            _DATABASE, f"is on {kind}, where SQLite's locks do not work: use a local disk"
        )
    free = shutil.disk_usage(folder).free
    if free < _MIN_FREE_BYTES:
        yield warning(_DATABASE, f"has {free // 1024**2} MiB of free disk space")


def _file(file: Path, settings: Settings) -> list[Finding]:
    if _needs_recovery(file):
        message = "was not closed, so its tables were not read"
        return [warning(_DATABASE, f"{message}: `gatehouse serve` will recover {file}")]
    try:
        with _read_only(file) as connection:
            schema = migrations.read_schema(connection)
            tables = _tables(connection, schema)
            # Other tables may lack what this reads.
            return [tables, *(stored_apps(connection, settings) if schema.is_usable else ())]
    except SQLAlchemyError as error:
        return [problem(_DATABASE, f"cannot be used: {reason(error)}")]


def _needs_recovery(file: Path) -> bool:
    """Return whether there is a log without its index, as in a copy of the files of a server that
    was killed. Reading it would write the index."""
    log = _beside(file, _WAL)
    return log.exists() and log.stat().st_size > 0 and not _beside(file, _INDEX).exists()


@contextmanager
def _read_only(file: Path) -> Iterator[Connection]:
    """Open the file and create, change and lock nothing, neither it nor the files beside it.

    A connection that only reads would still create the log and its index, unless the file is said
    to be immutable. That is true if no other process has it open: then there is no log. If there
    is one, its index is opened only to read. See https://www.sqlite.org/wal.html, "Read-Only
    Databases".
    """
    has_log = _beside(file, _WAL).exists() and _beside(file, _INDEX).exists()
    in_use = has_log or _beside(file, _JOURNAL).exists()
    uri = f"file:{quote(str(file))}?mode=ro&{'readonly_shm' if in_use else 'immutable'}=1"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=NullPool
    )
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _tables(connection: Connection, schema: Schema) -> Finding:
    """Compare the version of the tables with the migrations of this release."""
    if schema.is_usable:
        return usable("SQLite", schema)
    try:
        schema.require_known()
    except migrations.SchemaMismatch as error:
        return problem(_DATABASE, str(error))
    tables = inspect(connection).get_table_names()
    if not tables:
        return ok(_DATABASE, "SQLite; `gatehouse serve` will create its tables")
    if "users" not in tables:
        return warning(
            _DATABASE,
            "has tables of another program: `gatehouse serve` will create its own beside them",
        )
    return ok(_DATABASE, "SQLite; `gatehouse serve` will migrate it")
