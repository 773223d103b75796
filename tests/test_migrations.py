import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, column, inspect, select, table

from api.app import create_app
from db import migrations
from db.engine import create_engine
from db.migrations import SchemaMismatch
from db.migrations.version import SCRIPTS
from db.models import Base
from tests import databases
from tests.commands import run
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.databases import execute, migrate_to, read
from tests.operations import LOGIN
from tests.users import GraphQL


def differences(connection: Connection) -> list[object]:
    found: list[object] = compare_metadata(
        MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": migrations.VERSION_TABLE}
        ),
        Base.metadata,
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
        "uq_users_webauthn_handle",
    }


def test_the_names_of_the_scripts_say_their_order() -> None:
    scripts = ScriptDirectory(str(SCRIPTS)).walk_revisions()

    assert tuple(script.revision for script in scripts)[::-1] == migrations.REVISIONS


async def test_several_may_migrate_at_once(empty_database_url: str) -> None:
    engines = [create_engine(empty_database_url) for _ in range(5)]
    await asyncio.gather(*(migrations.upgrade(engine) for engine in engines))

    async with engines[0].connect() as connection:
        assert (await connection.run_sync(migrations.read_schema)).is_current
    for engine in engines:
        await engine.dispose()


async def test_an_app_makes_the_tables_on_sqlite_alone(empty_database_url: str) -> None:
    app = create_app(settings_for(empty_database_url))
    if empty_database_url.startswith("sqlite"):
        engine = app.state.gatehouse.engine
        async with app.router.lifespan_context(app), engine.connect() as connection:
            assert (await connection.run_sync(migrations.read_schema)).is_current
    else:
        with pytest.raises(SchemaMismatch, match="gatehouse migrate"):
            async with app.router.lifespan_context(app):
                pass


async def test_an_app_may_be_started_again(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    for _ in range(2):
        async with app.router.lifespan_context(app), client_of(app) as client:
            answer = await GraphQL(client)(LOGIN, username="Nobody", password="difference engine")
            assert answer.code == "INVALID_CREDENTIALS"


def version_tables(url: str) -> dict[str, list[str]]:
    """Return the revisions in each version table that exists."""

    async def read() -> dict[str, list[str]]:
        engine = create_engine(url)
        async with engine.connect() as connection:
            names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            found = {
                name: list(await connection.scalars(select(column("version_num"), table(name))))
                for name in names
                if name.endswith("_version")
            }
        await engine.dispose()
        return found

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("command", "former"),
    [("migrate", False), ("serve", False), ("check", False), ("migrate", True)],
)
def test_a_database_of_a_newer_release_is_a_line(
    empty_database_url: str,
    command: str,
    former: bool,
    tmp_path: Path,
) -> None:
    databases.migrate(empty_database_url)
    databases.make_newer(empty_database_url, oldest_compatible="0999")
    if former:
        use_former_table(empty_database_url)
    ended = run([command], tmp_path, SECRET_KEY=SECRET_KEY, DATABASE_URL=empty_database_url)
    said = [line for line in ended.lines if "0999" in line]

    assert ended.status != 0
    assert len(said) == 1
    assert "The database is newer than this program" in said[0]
    assert "gatehouse migrate" not in said[0]


def test_the_version_table_of_another_program_is_left_alone(empty_database_url: str) -> None:
    execute(
        empty_database_url,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
        " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))",
        "INSERT INTO alembic_version VALUES ('ae1027a6acf')",
    )
    databases.migrate(empty_database_url)

    assert version_tables(empty_database_url) == {
        "alembic_version": ["ae1027a6acf"],
        migrations.VERSION_TABLE: [migrations.HEAD],
    }


@pytest.mark.parametrize("revision", ["0001", migrations.HEAD])
def test_a_database_of_a_release_that_used_alembic_version_stays_usable(
    empty_database_url: str, revision: str
) -> None:
    make_former(empty_database_url, revision)
    databases.migrate(empty_database_url)
    tables = version_tables(empty_database_url)

    # At the newest revision there is nothing to migrate, and a former release still serves.
    name = "alembic_version" if revision == migrations.HEAD else migrations.VERSION_TABLE
    assert tables == {name: [migrations.HEAD]}


# As the code of revision 0006 wrote them.
USER = """
INSERT INTO users (id, username, username_key, email, email_key, password_hash, created_at)
VALUES ('01938f2b6c1e7a3d9a510f0f0f0f0f0f', 'Ada', 'ada', 'ada@example.com', 'ada@example.com',
        'a hash', '2026-01-01 00:00:00')
"""
SESSION = """
INSERT INTO sessions (id, user_id, method, network, created_at, last_used_at, expires_at,
                      family_hash, refresh_hash, rotations)
VALUES ('01938f2b6c1e7a3d9a510f0f0f0f0f0e', '01938f2b6c1e7a3d9a510f0f0f0f0f0f', 'LOGIN', '', '2026-01-01 00:00:00',
        '2026-01-01 00:00:00', '2026-01-01 00:00:00', 'a', 'b', '[]')
"""


def test_accounts_may_lose_their_password_and_no_row_is_lost(empty_database_url: str) -> None:
    migrate_to(empty_database_url, "0006")
    execute(empty_database_url, USER, SESSION)
    databases.migrate(empty_database_url)
    sessions = read(
        empty_database_url, "SELECT user_id FROM sessions JOIN users ON users.id = user_id"
    )
    execute(empty_database_url, "UPDATE users SET password_hash = NULL")
    migrate_to(empty_database_url, "0006")

    assert len(sessions) == 1
    assert read(empty_database_url, "SELECT password_hash FROM users") == [""]


def test_a_process_of_the_release_before_still_starts_sessions(empty_database_url: str) -> None:
    """While processes are replaced, the former ones run on the new tables."""
    databases.migrate(empty_database_url)
    execute(empty_database_url, USER, SESSION)

    # No recent proof of anything.
    assert read(empty_database_url, "SELECT amr FROM sessions") in (["[]"], [[]])
    before = "SELECT id FROM sessions WHERE proved_at < created_at"
    assert len(read(empty_database_url, before)) == 1


def make_former(url: str, revision: str) -> None:
    """Migrate to a revision as a former release did, with the revision in ``alembic_version``."""
    migrate_to(url, revision)
    use_former_table(url)


def use_former_table(url: str) -> None:
    execute(url, f"ALTER TABLE {migrations.VERSION_TABLE} RENAME TO alembic_version")
