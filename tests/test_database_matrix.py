"""The core on every way to reach PostgreSQL: direct and behind PgBouncer, and with defaults of the
database and of the role that the code must not depend on."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from api.app import create_app
from cli.check.database import database
from cli.check.findings import Level
from tests import databases
from tests.commands import run
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.operations import CREATE_POST, LOGIN, ME, REFRESH
from tests.pgbouncer import PGBOUNCER_PROGRAM, running_pgbouncer
from tests.users import GraphQL, RegisteredUser, register_user

pytestmark = pytest.mark.skipif(not databases.POSTGRES_URL, reason="needs TEST_POSTGRES_URL")

needs_pgbouncer = pytest.mark.skipif(not PGBOUNCER_PROGRAM, reason="needs pgbouncer")

HOSTILE = {
    "client_encoding": "LATIN1",
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Kathmandu",
    "standard_conforming_strings": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
    "statement_timeout": "10s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    "search_path": "elsewhere, public",
    "bytea_output": "escape",
    "quote_all_identifiers": "on",
}

# More than the server connections of PgBouncer, and more statements than psycopg executes before it
# prepares them.
USERS = 4
ROUNDS = 6

POSTS = "{ posts(first: 3) { edges { node { content createdAt author { username } } } } }"


def with_defaults(url: str, subject: str) -> str:
    """Give a database other defaults: all of its sessions, or those of the present role."""
    name = sql.Identifier(str(make_url(url).database))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA elsewhere")
        for setting, value in HOSTILE.items():
            values = sql.SQL(", ").join(map(sql.Literal, value.split(", ")))
            connection.execute(
                sql.SQL(f"ALTER {subject} {{}} SET {{}} = {{}}").format(
                    name, sql.Identifier(setting), values
                )
            )
    return url


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of a migrated database, reached as the words of the parameter say."""
    ways = request.param.split()
    with ExitStack() as stack:
        if "defaults" in ways:
            subject = "ROLE CURRENT_USER IN DATABASE" if "role" in ways else "DATABASE"
            url = with_defaults(stack.enter_context(databases.empty_postgres()), subject)
        else:
            url = databases.without_users(request.getfixturevalue("migrated_postgres"))
        if "session" in ways:
            url = stack.enter_context(running_pgbouncer(url, "session"))
        if "transaction" in ways:
            url = stack.enter_context(running_pgbouncer(url, "transaction"))
        if "defaults" in ways:
            databases.migrate(url)
        yield url


async def use(graphql: GraphQL, user: RegisteredUser) -> None:
    """Sign in, read, write and refresh, again and again."""
    for number in range(ROUNDS):
        login = await graphql(LOGIN, username=user.email, password=user.password)
        assert login.errors == []
        token = login.data["login"]["accessToken"]
        post = {"title": f"Post {number}", "content": "\N{ROCKET} a\\'b %s \N{SNOWMAN}"}
        answers = [
            await graphql(ME, by=token),
            await graphql(CREATE_POST, by=token, input=post),
            await graphql(POSTS),
            await graphql(REFRESH, token=login.data["login"]["refreshToken"]),
        ]
        assert [answer.errors for answer in answers] == [[]] * 4
        assert answers[0].data["me"]["username"] == user.username
        assert all(
            edge["node"]["content"] == post["content"] for edge in answers[2].data["posts"]["edges"]
        )


@pytest.mark.parametrize(
    "url",
    [
        "direct",
        "defaults",
        pytest.param("session", marks=needs_pgbouncer),
        pytest.param("transaction", marks=needs_pgbouncer),
        pytest.param("role defaults transaction", marks=needs_pgbouncer),
    ],
    indirect=True,
)
async def test_the_core_works(url: str) -> None:
    settings = settings_for(url, login_limit_per_account="20/minute")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        users = await asyncio.gather(
            *(
                register_user(graphql, f"user{n}", f"user{n}@example.com", "analytical engine")
                for n in range(USERS)
            )
        )
        await asyncio.gather(*(use(graphql, user) for user in users))
        ready = await client.get("/health/ready")
        wrong = [
            await graphql(LOGIN, username="nobody", password="difference engine") for _ in range(21)
        ]

    findings = await asyncio.to_thread(lambda: list(database(settings)))

    # The tests may have no other role than the superuser.
    assert {finding.level for finding in findings if "superuser" not in finding.message} == {
        Level.OK
    }, findings
    assert ready.status_code == 200, ready.text
    assert {answer.code for answer in wrong[:-1]} == {"INVALID_CREDENTIALS"}
    assert wrong[-1].code == "TOO_MANY_ATTEMPTS"


@pytest.mark.parametrize(
    ("command", "encoding"), [("migrate", "LATIN1"), ("serve", "SQL_ASCII"), ("check", "EUC_JP")]
)
def test_a_database_that_cannot_store_every_text_is_refused_in_a_line(
    command: str, encoding: str, tmp_path: Path
) -> None:
    with databases.empty_postgres(encoding) as url:
        ended = run([command], tmp_path, SECRET_KEY=SECRET_KEY, DATABASE_URL=url)
    said = [line for line in ended.lines if "UTF8" in line]

    assert ended.status != 0
    assert len(said) == 1
    assert f"the database has the encoding {encoding}" in said[0]
