"""Statements about one session use an index, in a table of 100,000 sessions."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Uuid, bindparam, text

from db.engine import create_engine
from domain import retention
from domain.services import Services
from tests.databases import POSTGRES_URL, empty_postgres, migrate
from tests.operations import LOGIN, LOGOUT, LOGOUT_EVERYWHERE, ME, REFRESH, SESSIONS
from tests.servers import wait_until
from tests.serving import served
from tests.sessions import refresh
from tests.statements import Statement, explain, statements
from tests.users import GraphQL, RegisteredUser, register_user

ROWS = 100_000

MANY = """
INSERT INTO sessions (id, user_id, method, network, created_at, last_used_at, expires_at, ended_at,
    family_hash, refresh_hash, rotations, proved_at, amr)
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows)
SELECT {new_id}, one.user_id, one.method, 'network ' || n % 200, one.created_at, one.last_used_at,
    one.expires_at, CASE one.user_id WHEN :ada THEN one.created_at END, 'family ' || n, '', one.rotations,
    one.proved_at, one.amr
FROM numbers JOIN sessions AS one ON one.user_id = CASE n % 2 WHEN 0 THEN :ada ELSE :grace END
"""


@pytest.fixture
async def large_table(services: Services, ada: RegisteredUser, grace: RegisteredUser) -> None:
    """Fill the table: half of the sessions are Ada's and ended, half are Grace's and active."""
    is_sqlite = services.database.engines[1].dialect.name == "sqlite"
    many = text(
        MANY.format(new_id="lower(hex(randomblob(16)))" if is_sqlite else "gen_random_uuid()")
    )
    parameters = [
        bindparam(name, UUID(user.id), Uuid()) for name, user in (("ada", ada), ("grace", grace))
    ]
    engine = create_engine(services.database.engines[1].url, time_limit=None)
    for statement in (many.bindparams(*parameters, rows=ROWS), text("ANALYZE")):
        async with engine.begin() as connection:
            await connection.execute(statement)
    await engine.dispose()


async def plans(services: Services, seen: Sequence[Statement]) -> list[str]:
    """Return the query plans of the statements that read, update or delete sessions."""
    return [
        await explain(services, statement, is_large_table=True)
        for statement in seen
        if "sessions" in statement.sql and not statement.sql.startswith("INSERT")
    ]


async def test_every_statement_about_one_session_uses_an_index(
    graphql: GraphQL,
    services: Services,
    ada: RegisteredUser,
    grace: RegisteredUser,
    large_table: None,
) -> None:
    with statements() as seen:
        login = await graphql(LOGIN, username="Ada", password=ada.password)
        answers = [
            login,
            await graphql(ME, by=ada),
            await graphql(REFRESH, token=ada.refresh_token),
            await graphql(SESSIONS, by=ada),
            await graphql(LOGOUT_EVERYWHERE, by=ada, but=True),
            await graphql(LOGOUT, by=ada),
        ]

    assert not any(answer.errors for answer in answers)
    found = await plans(services, seen)
    assert len(found) >= 9
    for one in found:
        assert "SCAN sessions" not in one
        assert "Seq Scan on sessions" not in one


async def test_pruning_reads_no_session_that_began_recently(
    services: Services, ada: RegisteredUser, large_table: None
) -> None:
    with statements() as seen:
        await retention.prune(services.database, kept_for=timedelta(days=90))

    [sessions] = await plans(services, seen)
    assert "SCAN sessions" not in sessions
    assert "Seq Scan on sessions" not in sessions


@pytest.mark.skipif(not POSTGRES_URL, reason="SQLite has no such updates")
async def test_a_refresh_writes_to_no_index_of_sessions() -> None:
    def updates(url: str, counter: str) -> object:
        with psycopg.connect(url) as connection:
            counted = f"SELECT {counter} FROM pg_stat_user_tables WHERE relname = 'sessions'"
            [number] = connection.execute(counted.encode()).fetchall()[0]
        return number

    with empty_postgres() as url:
        await asyncio.to_thread(migrate, url)
        async with served(url) as graphql:
            ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
            await refresh(graphql, await refresh(graphql, ada.refresh_token))
        # PostgreSQL counts what a connection did after it has closed.
        wait_until(lambda: updates(url, "n_tup_upd") == 2)

        assert updates(url, "n_tup_hot_upd") == 2
