"""The roles of deploy/roles.sql: one migrates, one serves, and neither may do more."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import make_url

from tests.commands import Run, run
from tests.conftest import SECRET_KEY
from tests.databases import POSTGRES_URL, empty_postgres, execute, migrate
from tests.operations import DELETE_ME, ME
from tests.paths import ROOT
from tests.posts import publish
from tests.servers import TIMEOUT_SECONDS
from tests.serving import served
from tests.sessions import change_password, log_in, refresh
from tests.users import register_user

PASSWORD = "pe6vbFayRcP_UdUA"

pytestmark = pytest.mark.skipif(
    not POSTGRES_URL or shutil.which("psql") is None, reason="needs PostgreSQL and psql"
)


@dataclass(frozen=True)
class Database:
    """The URLs of a database: for a superuser, and for the two roles."""

    url: str
    migrate: str
    serve: str


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Return a database whose tables one role has migrated, for the other to use."""
    folder = tmp_path_factory.mktemp("roles")
    with empty_postgres() as url, roles(url, folder) as database:
        assert command("migrate", folder, database.migrate).status == 0
        yield database


@contextmanager
def roles(url: str, folder: Path) -> Iterator[Database]:
    """Make the roles by the file, under names of their own: roles are those of a whole server."""
    name = make_url(url).database
    text = (ROOT / "deploy/roles.sql").read_text().replace("gatehouse_migrate", f"{name}_m")
    (folder / "roles.sql").write_text(text.replace("gatehouse_serve", f"{name}_s"))
    run_file(url, folder)
    urls = [make_url(url).set(username=f"{name}_{role}", password=PASSWORD) for role in ("m", "s")]
    for role in urls:
        execute(url, f"ALTER ROLE {role.username} PASSWORD '{PASSWORD}'")
    try:
        yield Database(url, *(role.render_as_string(hide_password=False) for role in urls))
    finally:
        for role in urls:
            execute(url, f"DROP OWNED BY {role.username}", f"DROP ROLE {role.username}")


def run_file(url: str, folder: Path) -> None:
    options = ("--no-psqlrc", "--single-transaction", "--set", "ON_ERROR_STOP=1")
    subprocess.run(
        ["psql", *options, "--file", str(folder / "roles.sql"), url],
        check=True,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )


def command(name: str, folder: Path, url: str) -> Run:
    return run([name], folder, SECRET_KEY=SECRET_KEY, DATABASE_URL=url)


async def test_the_role_that_serves_does_all_that_users_ask_for(database: Database) -> None:
    async with served(database.serve) as graphql:
        ada = await register_user(graphql, "Ada", "ada@example.com", PASSWORD)
        laptop = await change_password(graphql, await log_in(graphql, ada), "another passphrase")
        await publish(graphql, laptop)
        me = await graphql(ME, by=laptop)
        await refresh(graphql, laptop.refresh_token)
        deleted = await graphql(DELETE_ME, by=laptop, password="another passphrase")

    assert me.data["me"]["username"] == "Ada"
    assert (me.errors, deleted.errors) == ([], [])


def test_the_role_that_serves_runs_the_other_commands(database: Database, tmp_path: Path) -> None:
    pruned = command("prune", tmp_path, database.serve)
    checked = command("check", tmp_path, database.serve)

    assert pruned.status == 0
    findings = [line for line in checked.lines if " DATABASE_URL: " in line]
    assert len(findings) > 3
    assert all(line.startswith("ok ") for line in findings)


def test_the_role_that_serves_does_not_migrate(tmp_path: Path, database: Database) -> None:
    with empty_postgres() as url, roles(url, tmp_path) as empty:
        ended = command("migrate", tmp_path, empty.serve)

    assert (ended.status, ended.stdout) == (1, "")
    assert "permission denied" in ended.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE another ()",
        "CREATE TEMPORARY TABLE another ()",
        "ALTER TABLE users ADD COLUMN another integer",
        "DROP TABLE posts",
        "TRUNCATE posts",
        "UPDATE gatehouse_version SET version_num = '0001'",
        "DELETE FROM gatehouse_version",
        "COPY users TO PROGRAM 'cat'",
        "CREATE ROLE another",
    ],
)
def test_the_role_that_serves_may_do_nothing_else(database: Database, statement: str) -> None:
    with psycopg.connect(database.serve) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement.encode())


def test_tables_of_later_migrations_can_be_used(database: Database, tmp_path: Path) -> None:
    execute(database.migrate, "CREATE TABLE later (id integer)")
    execute(database.serve, "INSERT INTO later VALUES (1)", "DELETE FROM later")
    execute(database.migrate, "DROP TABLE later")

    assert command("migrate", tmp_path, database.migrate).status == 0


def test_a_database_in_use_is_taken_over_and_the_file_may_be_repeated(tmp_path: Path) -> None:
    owners = sql.SQL("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    with empty_postgres() as url:
        migrate(url)
        with roles(url, tmp_path) as database:
            run_file(url, tmp_path)
            with psycopg.connect(database.serve) as connection:
                found = connection.execute(owners).fetchall()

    assert found == [(make_url(database.migrate).username,)]


def test_others_may_not_connect(database: Database) -> None:
    may = "SELECT has_database_privilege('public', current_database(), 'CONNECT')"
    with psycopg.connect(database.url) as connection:
        found = connection.execute(may.encode()).fetchall()

    assert found == [(False,)]
