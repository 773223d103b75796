"""Code on the schema of a newer release."""

import re
from pathlib import Path

import pytest

from db import migrations
from db.migrations.version import SCRIPTS
from tests import databases
from tests.commands import run
from tests.conftest import SECRET_KEY
from tests.databases import execute, make_newer, migrate_to
from tests.releases import oldest_compatible
from tests.serving import served
from tests.users import register_user


@pytest.mark.parametrize("revision", migrations.REVISIONS)
def test_every_migration_states_the_oldest_code_that_can_serve_on_its_schema(revision: str) -> None:
    assert oldest_compatible(revision) in migrations.REVISIONS
    assert oldest_compatible(revision) <= revision


def test_code_that_a_migration_has_excluded_stays_excluded() -> None:
    stated = [oldest_compatible(revision) for revision in migrations.REVISIONS]

    assert stated == sorted(stated)


def test_a_new_migration_states_nothing_until_its_author_does() -> None:
    template = (SCRIPTS / "script.py.mako").read_text()

    assert "oldest_compatible = None" in template


def test_the_database_records_what_its_last_migration_states(empty_database_url: str) -> None:
    for revision in (*migrations.REVISIONS, migrations.REVISIONS[-2]):
        migrate_to(empty_database_url, revision)

        assert recorded(empty_database_url) == oldest_compatible(revision)


def test_a_database_that_records_nothing_does_after_its_next_migration(
    empty_database_url: str,
) -> None:
    """Releases before the rule made it."""
    migrate_to(empty_database_url, migrations.REVISIONS[-2])
    execute(
        empty_database_url, f"ALTER TABLE {migrations.VERSION_TABLE} DROP COLUMN oldest_compatible"
    )
    databases.migrate(empty_database_url)

    assert recorded(empty_database_url) == oldest_compatible(migrations.HEAD)


@pytest.fixture
def newer_database_url(empty_database_url: str) -> str:
    """Return the URL of a database of a newer release, which this code can serve on."""
    databases.migrate(empty_database_url)
    make_newer(empty_database_url, oldest_compatible=migrations.HEAD)
    return empty_database_url


async def test_code_starts_and_is_ready_on_a_newer_schema_that_permits_it(
    newer_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(newer_database_url) as graphql:
        await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        ready = await graphql.client.get("/health/ready")

    assert ready.status_code == 200
    notice = "The database has the schema 0999 of a newer release, on which this one can serve."
    assert caplog.messages.count(notice) == 1


async def test_code_is_not_ready_on_a_newer_schema_that_excludes_it(
    newer_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(newer_database_url) as graphql:
        make_newer(newer_database_url, oldest_compatible="0999")
        ready = await graphql.client.get("/health/ready")

    assert ready.status_code == 503
    message = ready.json()["error_description"]
    assert "newer than this program, which cannot serve on it" in message
    assert message in caplog.messages


async def test_the_log_says_once_that_the_schema_excludes_this_code_and_once_that_it_does_not(
    newer_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    messages = []
    async with served(newer_database_url) as graphql:
        for oldest in ("0999", migrations.HEAD, "0999"):
            make_newer(newer_database_url, oldest_compatible=oldest)
            caplog.clear()
            for _ in range(3):
                await graphql.client.get("/health/ready")
            messages.append(
                [record.getMessage() for record in caplog.records if record.levelname != "INFO"]
            )

    excluded, usable, again = messages
    assert len(excluded) == 1
    assert usable == ["The database has a usable schema again."]
    assert again == excluded


async def test_code_is_not_ready_on_a_newer_schema_that_says_nothing(
    newer_database_url: str,
) -> None:
    async with served(newer_database_url) as graphql:
        execute(
            newer_database_url,
            f"ALTER TABLE {migrations.VERSION_TABLE} DROP COLUMN oldest_compatible",
        )
        ready = await graphql.client.get("/health/ready")

    assert ready.status_code == 503


def test_check_warns_of_a_newer_schema_and_still_reads_the_tables(
    newer_database_url: str, tmp_path: Path
) -> None:
    checked = run(["check"], tmp_path, SECRET_KEY=SECRET_KEY, DATABASE_URL=newer_database_url)
    [line] = [line for line in checked.lines if "0999" in line]

    assert re.match(r"warning +DATABASE_URL: \w+, with the schema 0999 of a newer release", line)


def test_migrate_leaves_a_newer_schema_that_permits_this_code(
    newer_database_url: str, tmp_path: Path
) -> None:
    run_again = run(["migrate"], tmp_path, SECRET_KEY=SECRET_KEY, DATABASE_URL=newer_database_url)

    assert run_again.status == 0
    assert run_again.stdout == (
        "Gatehouse: the database has the schema 0999 of a newer release,"
        " on which this one can serve.\n"
    )


def recorded(url: str) -> object:
    [oldest] = databases.read(url, f"SELECT oldest_compatible FROM {migrations.VERSION_TABLE}")
    return oldest
