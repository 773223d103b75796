"""Databases for tests. Each is made for one run and dropped after it."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import make_url, text

from db import migrations
from db.engine import create_engine
from tests.servers import wait_until

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "")


def migrate(url: str) -> None:
    """Create the tables of a database."""

    async def upgrade() -> None:
        # As `gatehouse migrate`: a slow disk is no reason to give up.
        engine = create_engine(url, time_limit=None)
        await migrations.upgrade(engine)
        await engine.dispose()

    asyncio.run(upgrade())


def migrate_to(url: str, revision: str) -> None:
    """Migrate a database up or down."""

    async def move() -> None:
        engine = create_engine(url, time_limit=None)
        await migrations.migrate_to(engine, revision, may_lose_data=True)
        await engine.dispose()

    asyncio.run(move())


def make_newer(url: str, oldest_compatible: str) -> None:
    """Give a database a revision that this code does not know, and that code of an older revision
    can serve on."""
    execute(
        url,
        f"UPDATE {migrations.VERSION_TABLE}"
        f" SET version_num = '0999', oldest_compatible = '{oldest_compatible}'",
    )


@contextmanager
def empty_postgres(encoding: str | None = None) -> Iterator[str]:
    """Yield the URL of a new database without tables, on the server of TEST_POSTGRES_URL.

    Its encoding is that of the server's other databases, unless one is given.
    """
    name = f"gatehouse_test_{uuid4().hex}"
    options = f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0" if encoding else ""
    with psycopg.connect(POSTGRES_URL, autocommit=True) as server:
        server.execute(sql.SQL(f"CREATE DATABASE {{}} {options}").format(sql.Identifier(name)))
        try:
            yield make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def without_users(url: str) -> str:
    """Delete every user with all their data, and return the URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        # TRUNCATE makes new files for each table and index, which takes a tenth of a second.
        connection.execute("SET synchronous_commit = off")
        # A transaction that a failed test has left open is an error, and not a hang.
        connection.execute("SET lock_timeout = '30s'")
        connection.execute(
            "DELETE FROM users; DELETE FROM security_events; DELETE FROM tickets; DELETE FROM outbox"
        )
    return url


def wait_until_one_waits(url: str, condition: str) -> None:
    """Poll until a connection to a PostgreSQL database waits: the condition is one of
    pg_stat_activity."""
    waiting = f"SELECT FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
    with psycopg.connect(url, autocommit=True) as connection:
        wait_until(lambda: connection.execute(waiting.encode()).rowcount > 0)


def execute(url: str, *statements: str) -> None:
    """Execute statements with a connection of the driver, as another program would."""
    if url.startswith("postgresql"):
        with psycopg.connect(url) as postgres:
            for statement in statements:
                postgres.execute(statement.encode())
    else:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as sqlite, sqlite:
            for statement in statements:
                sqlite.execute(statement)


def read(url: str, query: str) -> list[object]:
    """Return the first column of the rows."""

    async def run() -> list[object]:
        engine = create_engine(url)
        async with engine.connect() as connection:
            found = list(await connection.scalars(text(query)))
        await engine.dispose()
        return found

    return asyncio.run(run())


def copy_of(template: Path, folder: Path) -> str:
    """Copy an SQLite file into a folder, and return the URL of the copy."""
    return f"sqlite:///{shutil.copy(template, folder / 'gatehouse.db')}"
