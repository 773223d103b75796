"""Transactions that PostgreSQL undoes in favour of a concurrent one. (SQLite has one writer.)"""

import ast
import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from api.app import create_app
from tests.conftest import client_of, settings_for
from tests.databases import wait_until_one_waits
from tests.operations import CREATE_POST, LOGIN, POST, REFRESH, REGISTER, UPDATE_POST
from tests.paths import ROOT
from tests.posts import NOTES, publish
from tests.users import Answer, GraphQL, RegisteredUser, register_user

SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"

# A sequence counts on when a transaction is undone.
TRIGGER = """
CREATE SEQUENCE conflicts;
CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('conflicts') <= {times} THEN
        RAISE EXCEPTION 'conflict' USING ERRCODE = '{sqlstate}';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conflict BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION conflict();
"""


@pytest.fixture
def postgres(database_url: str) -> str:
    if not database_url.startswith("postgresql"):
        pytest.skip("about PostgreSQL")
    return database_url


@contextmanager
def conflicts(url: str, *, table: str, times: int, sqlstate: str) -> Iterator[None]:
    """Undo the next transactions that insert into a table, as many as ``times``."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TRIGGER.format(table=table, times=times, sqlstate=sqlstate).encode())
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION conflict CASCADE; DROP SEQUENCE conflicts")


@pytest.mark.parametrize("sqlstate", [SERIALIZATION_FAILURE, DEADLOCK])
@pytest.mark.parametrize(
    ("command", "table"),
    [
        ("register", "users"),
        ("login", "sessions"),
        ("wrong password", "security_events"),
        ("refresh", "security_events"),
        ("createPost", "posts"),
    ],
)
async def test_a_command_runs_again_after_a_conflict(
    graphql: GraphQL, ada: RegisteredUser, postgres: str, command: str, table: str, sqlstate: str
) -> None:
    async def run() -> Answer:
        match command:
            case "register":
                names = {"username": "Grace", "email": "grace@example.com"}
                return await graphql(REGISTER, password="nanoseconds of wire", **names)
            case "login":
                return await graphql(LOGIN, username="Ada", password=ada.password)
            case "wrong password":
                return await graphql(LOGIN, username="Ada", password="difference engine")
            case "refresh":
                return await graphql(REFRESH, token=ada.refresh_token)
            case _:
                return await graphql(CREATE_POST, by=ada, input=NOTES)

    with conflicts(postgres, table=table, times=2, sqlstate=sqlstate):
        answer = await run()

    if command == "wrong password":
        assert answer.code == "INVALID_CREDENTIALS"
    else:
        assert answer.errors == []


async def test_a_conflict_at_every_attempt_is_not_an_unavailable_database(
    graphql: GraphQL, ada: RegisteredUser, postgres: str
) -> None:
    with conflicts(postgres, table="posts", times=1000, sqlstate=SERIALIZATION_FAILURE):
        answer = await graphql(CREATE_POST, by=ada, input=NOTES)
    with psycopg.connect(postgres) as connection:
        posts = connection.execute("SELECT count(*) FROM posts").fetchone()

    assert answer.code == "OVERLOADED"
    assert posts == (0,)


async def test_a_deadlock_with_an_administrator_is_not_noticed(postgres: str) -> None:
    # PostgreSQL ends the transaction that finds the deadlock first: not the administrator's.
    settings = settings_for(f"{postgres}?options=-c%20deadlock_timeout%3D500ms")
    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        client_of(app) as client,
        await psycopg.AsyncConnection.connect(
            postgres, options="-c deadlock_timeout=1min"
        ) as administrator,
    ):
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        post = await publish(graphql, ada)
        await administrator.execute("SELECT FROM posts FOR UPDATE")
        editing = asyncio.create_task(
            graphql(UPDATE_POST, by=ada, id=post["id"], input={**NOTES, "title": "Edited"})
        )
        await asyncio.to_thread(wait_until_one_waits, postgres, "wait_event_type = 'Lock'")
        # The edit holds the user, and waits for the post.
        await administrator.execute("SELECT FROM users FOR UPDATE")
        await administrator.commit()
        edited = await editing
        read = await graphql(POST, id=post["id"])

    assert edited.errors == []
    assert read.data["post"]["title"] == "Edited"


def test_whatever_opens_a_transaction_runs_again_after_a_conflict() -> None:
    for file in (ROOT / "domain").rglob("*.py"):
        source = file.read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.AsyncFunctionDef) and opens_transaction(ast.unparse(node)):
                decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
                # The functions that use `changing` are.
                expected = "asynccontextmanager" if node.name == "changing" else "retried"
                assert decorators == [expected], f"{file}: {node.name}"


def opens_transaction(source: str) -> bool:
    return "database.writing()" in source or "changing(services" in source
