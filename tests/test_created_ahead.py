"""Indexes that `gatehouse migrate` creates on PostgreSQL ahead of the migrations."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.errors import UniqueViolation

from db import migrations
from tests import databases
from tests.databases import POSTGRES_URL, empty_postgres, execute, migrate_to, read

pytestmark = pytest.mark.skipif(not POSTGRES_URL, reason="SQLite has one writer")

EVENT = """
INSERT INTO security_events (id, kind, created_at)
VALUES (gen_random_uuid(), 'WRONG_PASSWORD', now())
"""
# A write to `users`, which locks no row that a migration would wait for.
USER = "UPDATE users SET disabled_at = now() WHERE false"
INVALID = "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE NOT indisvalid"
MADE = """(
    'ix_users_disabled_username', 'ix_users_disabled_email', 'ix_security_events_user_id_kind',
    'ix_security_events_refreshed', 'ix_sessions_active_user_id'
)"""
REVISION = f"SELECT version_num FROM {migrations.VERSION_TABLE}"


@pytest.fixture
def url() -> Iterator[str]:
    """Yield the URL of a database without the indexes."""
    with empty_postgres() as url:
        migrate_to(url, "0011")
        yield url


@pytest.mark.parametrize(
    ("index", "write"),
    [
        ("ix_users_disabled_username", USER),
        ("ix_security_events_user_id_kind", EVENT),
    ],
)
def test_others_write_while_an_index_is_created(url: str, index: str, write: str) -> None:
    with ThreadPoolExecutor() as threads:
        with psycopg.connect(url) as open_transaction:
            open_transaction.execute(write.encode())
            migration = threads.submit(databases.migrate, url)
            # For the end of the transaction.
            databases.wait_until_one_waits(
                url,
                f"query LIKE 'CREATE INDEX CONCURRENTLY {index} %' AND wait_event_type = 'Lock'",
            )
            execute(url, "SET lock_timeout = '1s'", write)
        migration.result()

    assert read(url, REVISION) == [migrations.HEAD]
    assert read(url, INVALID) == []


def test_an_index_that_was_left_incomplete_is_created_again(url: str) -> None:
    execute(url, EVENT, EVENT)
    with psycopg.connect(url, autocommit=True) as connection, pytest.raises(UniqueViolation):
        connection.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY ix_security_events_refreshed"
            " ON security_events (kind)"
        )
    assert read(url, INVALID) == ["ix_security_events_refreshed"]
    databases.migrate(url)

    assert read(url, INVALID) == []
    assert read(url, REVISION) == [migrations.HEAD]


def test_several_processes_create_them_at_once(url: str) -> None:
    execute(url, EVENT)
    with ThreadPoolExecutor(4) as threads:
        ended = [threads.submit(databases.migrate, url) for _ in range(4)]
        for each in ended:
            each.result()

    assert read(url, INVALID) == []
    assert read(url, REVISION) == [migrations.HEAD]


@pytest.mark.parametrize("revision", ["0001", "0009"])
def test_an_index_of_what_is_not_there_yet_is_left_to_its_migration(revision: str) -> None:
    with empty_postgres() as url:
        migrate_to(url, revision)
        databases.migrate(url)

        assert read(url, REVISION) == [migrations.HEAD]
        assert read(url, f"SELECT count(*) FROM pg_indexes WHERE indexname IN {MADE}") == [5]
