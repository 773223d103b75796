"""An SQLite file that changes under a running server, or that may not be written."""

import asyncio
import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from cli.check.database import database
from cli.check.findings import Level
from tests import databases
from tests.commands import run
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.operations import CREATE_POST, LOGIN, ME, POSTS, REGISTER, UPDATE_ME
from tests.posts import NOTES
from tests.users import Answer, GraphQL, RegisteredUser

NOBODY = 65534


@pytest.fixture
def file(migrated_sqlite: Path) -> Iterator[Path]:
    """Yield a file in a folder that another user than root may own."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-") as folder:
        databases.copy_of(migrated_sqlite, Path(folder))
        yield Path(folder) / "gatehouse.db"


@pytest.fixture
def database_url(file: Path) -> str:
    return f"sqlite:///{file}"


@contextmanager
def unprivileged(*paths: Path) -> Iterator[None]:
    """Give the paths to a user that is not root, and be that user while the block runs."""
    if os.geteuid() != 0:
        yield
        return
    for path in paths:
        os.chown(path, NOBODY, -1)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def replace(file: Path, migrated_sqlite: Path) -> None:
    shutil.copy(migrated_sqlite, file.with_name("new.db"))
    file.with_name("new.db").rename(file)


def delete(file: Path, migrated_sqlite: Path) -> None:
    file.unlink()


def move(file: Path, migrated_sqlite: Path) -> None:
    file.rename(file.with_name("elsewhere.db"))


@pytest.mark.parametrize("change", [replace, delete, move])
async def test_a_write_to_a_file_that_is_gone_is_not_acknowledged(
    graphql: GraphQL,
    client: httpx.AsyncClient,
    ada: RegisteredUser,
    file: Path,
    migrated_sqlite: Path,
    change: Callable[[Path, Path], None],
) -> None:
    assert (await graphql(ME, by=ada)).errors == []
    change(file, migrated_sqlite)
    answers = [
        await graphql(CREATE_POST, by=ada, input=NOTES),
        await graphql(LOGIN, username="Ada", password=ada.password),
        await graphql(ME, by=ada),
        await graphql(POSTS),
    ]
    ready = await client.get("/health/ready")

    assert [answer.code for answer in answers] == ["UNAVAILABLE"] * 4
    assert ready.status_code == 503
    # No empty file takes the place of one that an operator is about to move there.
    assert await asyncio.to_thread(file.exists) == (change is replace)


async def test_a_file_that_comes_back_is_used_again(
    graphql: GraphQL, ada: RegisteredUser, file: Path
) -> None:
    away = str(file) + ".away"
    os.rename(file, away)
    gone = await graphql(ME, by=ada)
    os.rename(away, file)

    assert gone.code == "UNAVAILABLE"
    assert (await graphql(UPDATE_ME, by=ada, input={"imageFile": "ada.png"})).errors == []


def forbid_file(file: Path) -> None:
    file.chmod(0o444)


def forbid_folder(file: Path) -> None:
    # Without WAL, a transaction needs a new file in the folder.
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    file.parent.chmod(0o555)


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow. To SQLite that is a full disk."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX")
async def test_a_full_disk_refuses_writes_serves_reads_and_is_left_behind(
    graphql: GraphQL, ada: RegisteredUser, caplog: pytest.LogCaptureFixture
) -> None:
    post = {"title": "Long", "content": "a" * 50_000}
    with full_disk():
        writes = [
            await graphql(CREATE_POST, by=ada, input=post),
            await graphql(UPDATE_ME, by=ada, input={"imageFile": "ada.png"}),
            await graphql(LOGIN, username="Ada", password=ada.password),
        ]
        reads = [await graphql(ME, by=ada), await graphql(POSTS)]
    after = [
        await graphql(CREATE_POST, by=ada, input=post),
        await graphql(LOGIN, username="Ada", password=ada.password),
    ]
    posts = await graphql(POSTS)

    assert [answer.code for answer in writes] == ["UNAVAILABLE"] * 3
    assert [answer.errors for answer in [*reads, *after]] == [[]] * 4
    assert len(posts.data["posts"]["edges"]) == 1
    assert "Traceback" not in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions of POSIX")
@pytest.mark.parametrize("forbid", [forbid_file, forbid_folder])
async def test_what_may_not_be_written_is_not_ready(
    file: Path, migrated_sqlite: Path, tmp_path: Path, forbid: Callable[[Path], None]
) -> None:
    # First on another file: another user may not be able to import what the first request does.
    await use_app(databases.copy_of(migrated_sqlite, tmp_path))
    forbid(file)
    with unprivileged(file, file.parent):
        ready, register = await use_app(f"sqlite:///{file}")
        findings = list(await asyncio.to_thread(database, settings_for(f"sqlite:///{file}")))

    assert register.code == "UNAVAILABLE"
    assert ready.status_code == 503
    assert ready.json()["error_description"] == "The database is read-only."
    assert [finding.level for finding in findings] == [Level.PROBLEM]
    assert "cannot write to" in findings[0].message


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions of POSIX")
@pytest.mark.parametrize("command", ["serve", "migrate", "check", "prune"])
def test_a_journal_that_cannot_be_made_ends_a_command_in_a_line(
    file: Path, migrated_sqlite: Path, tmp_path: Path, command: str
) -> None:
    secret = {"SECRET_KEY": SECRET_KEY}
    # First on another file: another user may not be able to import what the command does.
    other = databases.copy_of(migrated_sqlite, tmp_path)
    run(["check" if command == "serve" else command], tmp_path, DATABASE_URL=other, **secret)
    # With WAL, even a reader makes two files.
    file.parent.chmod(0o555)
    with unprivileged(file, file.parent):
        ended = run([command], file.parent, DATABASE_URL=f"sqlite:///{file}", **secret)
    said = [line for line in ended.lines if "readonly" in line or "cannot write to" in line]

    assert ended.status == 1
    assert len(said) == 1


async def use_app(url: str) -> tuple[httpx.Response, Answer]:
    app = create_app(settings_for(url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        register = await GraphQL(client)(
            REGISTER, username="Ada", email="ada@example.com", password="analytical engine"
        )
        return await client.get("/health/ready"), register
