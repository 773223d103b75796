"""Databases to test on, each made for one run and gone after it."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from db import migrations
from db.engine import create_engine

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "")


def migrate(url: str) -> None:
    async def upgrade() -> None:
        engine = create_engine(url)
        await migrations.upgrade(engine)
        await engine.dispose()

    asyncio.run(upgrade())


@contextmanager
def empty_postgres() -> Iterator[str]:
    """The URL of a new database without tables, on the server of TEST_POSTGRES_URL."""
    name = f"gatehouse_test_{uuid4().hex}"
    with psycopg.connect(POSTGRES_URL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def empty_of_people(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("TRUNCATE users, security_events CASCADE")
    return url


def copy_of(template: Path, folder: Path) -> str:
    return f"sqlite:///{shutil.copy(template, folder / 'gatehouse.db')}"
