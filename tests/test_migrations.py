import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from api.app import create_app
from api.database import SchemaOutOfDate
from db import migrations
from db.engine import create_engine
from db.models import Base
from tests.conftest import client_of, settings_for
from tests.operations import LOGIN
from tests.users import GraphQL


def differences(connection: Connection) -> list[object]:
    found: list[object] = compare_metadata(
        MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata
    )
    return found


async def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    engine = create_engine(database_url)
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()

    assert found == []


async def test_uniqueness_is_the_databases_to_judge(database_url: str) -> None:
    engine = create_engine(database_url)
    async with engine.connect() as connection:
        constraints = await connection.run_sync(
            lambda sync: inspect(sync).get_unique_constraints("users")
        )
    await engine.dispose()

    assert {constraint["name"] for constraint in constraints} == {
        "uq_users_username_key",
        "uq_users_email_key",
    }


def test_the_newest_of_the_scripts_is_what_the_code_is_written_for() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))

    assert scripts.get_current_head() == migrations.HEAD


async def test_several_may_migrate_at_once(empty_database_url: str) -> None:
    engines = [create_engine(empty_database_url) for _ in range(5)]
    await asyncio.gather(*(migrations.upgrade(engine) for engine in engines))

    async with engines[0].connect() as connection:
        assert await connection.run_sync(migrations.is_current)
    for engine in engines:
        await engine.dispose()


async def test_an_app_makes_the_tables_on_sqlite_alone(empty_database_url: str) -> None:
    app = create_app(settings_for(empty_database_url))
    if empty_database_url.startswith("sqlite"):
        engine = app.state.gatehouse.engine
        async with app.router.lifespan_context(app), engine.connect() as connection:
            assert await connection.run_sync(migrations.is_current)
    else:
        with pytest.raises(SchemaOutOfDate, match="gatehouse migrate"):
            async with app.router.lifespan_context(app):
                pass


async def test_an_app_may_be_started_again(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    for _ in range(2):
        async with app.router.lifespan_context(app), client_of(app) as client:
            answer = await GraphQL(client)(LOGIN, username="Nobody", password="difference engine")
            assert answer.code == "INVALID_CREDENTIALS"
