"""`gatehouse serve` with several workers: concurrent writes, replacements and restarts."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import make_url

from server import supervisor
from server.supervisor import Worker
from tests import databases
from tests.conftest import SECRET_KEY
from tests.operations import LOGIN, ME, SESSIONS, UPDATE_ME
from tests.servers import (
    GATEHOUSE,
    TIMEOUT_SECONDS,
    Server,
    children_of,
    environment,
    running_server,
    wait_until,
    workers_of,
)
from tests.sessions import refresh
from tests.users import GraphQL, RegisteredUser, register_user


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """Run a server on PostgreSQL if there is one, as servers with several workers are."""
    url = (
        databases.without_users(request.getfixturevalue("migrated_postgres"))
        if databases.POSTGRES_URL
        else databases.copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path)
    )
    with running_server(url, SECRET_KEY, tmp_path, WORKERS="2") as server:
        wait_until(lambda: "2 workers are serving" in server.logged())
        yield server


@pytest.fixture(scope="module")
def one_server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one server for all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("workers")
    url = databases.copy_of(migrated_sqlite, folder)
    with running_server(url, SECRET_KEY, folder, WORKERS="2") as server:
        wait_until(lambda: "2 workers are serving" in server.logged())
        yield server


def process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class RetryTransport(httpx.AsyncHTTPTransport):
    """Retries once when the connection closes before any response, as browsers do."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with suppress(httpx.NetworkError, httpx.RemoteProtocolError):
            return await super().handle_async_request(request)
        return await super().handle_async_request(request)


@dataclass
class ActiveUser:
    """A user who makes changes one after the other, and the changes that were acknowledged."""

    user: RegisteredUser
    username: str
    refresh_token: str
    sessions: int = 1

    async def make_changes(
        self, graphql: GraphQL, until: asyncio.Event, *, at_least: int = 5
    ) -> None:
        for round_number in count():
            if until.is_set() and round_number >= at_least:
                return
            changes = {"username": f"{self.user.username}.{'even' if round_number % 2 else 'odd'}"}
            updated = await graphql(UPDATE_ME, by=self.user, input=changes)
            self.username = updated.data["updateMe"]["username"]
            self.refresh_token = await refresh(graphql, self.refresh_token)
            if self.sessions < 50:
                login = await graphql(LOGIN, username=self.username, password=self.user.password)
                assert login.errors == []
                self.sessions += 1

    async def check_what_was_acknowledged(self, graphql: GraphQL) -> None:
        me = await graphql(ME, by=self.user)
        sessions = await graphql(SESSIONS, by=self.user)

        assert me.data["me"]["username"] == self.username
        assert len(sessions.data["me"]["sessions"]) == self.sessions
        await refresh(graphql, self.refresh_token)


async def use_api(url: str, until: asyncio.Event) -> None:
    async with httpx.AsyncClient(
        transport=RetryTransport(), base_url=url, timeout=TIMEOUT_SECONDS
    ) as client:
        graphql = GraphQL(client)
        name = uuid4().hex[:20]
        user = await register_user(graphql, name, f"{name}@example.com", "analytical engine")
        active_user = ActiveUser(user, name, user.refresh_token)
        await active_user.make_changes(graphql, until)
        await active_user.check_what_was_acknowledged(graphql)


async def many_users(server: Server, until: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as users:
        for _ in range(8):
            users.create_task(use_api(server.url, until))


def is_intact(database_url: str) -> bool:
    path = make_url(database_url).database
    assert path is not None
    with closing(sqlite3.connect(path)) as connection:
        verification = connection.execute("PRAGMA integrity_check").fetchone()
    return bool(verification == ("ok",))


async def test_workers_lose_nothing_that_they_do_at_the_same_time(tmp_path: Path) -> None:
    """The SQLite file does not exist when they start."""
    url = f"sqlite:///{tmp_path / 'new.db'}"
    at_once = asyncio.Event()
    at_once.set()
    with running_server(url, SECRET_KEY, tmp_path, WORKERS="3") as server:
        wait_until(lambda: "3 workers are serving" in server.logged())
        await many_users(server, at_once)

        assert '" 5' not in server.logged()
    assert is_intact(url)


async def test_a_restart_under_load_is_noticed_by_nobody(server: Server) -> None:
    before = workers_of(server)
    restarted = asyncio.Event()

    async def restart() -> None:
        server.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(wait_until, lambda: "All workers were replaced" in server.logged())
        restarted.set()

    async with asyncio.TaskGroup() as both:
        both.create_task(many_users(server, restarted))
        both.create_task(restart())

    assert not workers_of(server) & before
    assert "Traceback" not in server.logged()


def holds_hangups(pid: int) -> bool:
    """Return whether a process has blocked SIGHUP."""
    with suppress(OSError):
        blocked = re.search(r"SigBlk:\s+(\w+)", Path(f"/proc/{pid}/status").read_text())
        return blocked is not None and bool(int(blocked[1], 16) & 1 << (signal.SIGHUP - 1))
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_restart_that_is_asked_for_during_the_start_happens_after_it(
    migrated_sqlite: Path, tmp_path: Path, workers: str
) -> None:
    settings = {"DATABASE_URL": databases.copy_of(migrated_sqlite, tmp_path), "PORT": "0"}
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [GATEHOUSE, "serve", "--workers", workers],
            env=environment(SECRET_KEY=SECRET_KEY, **settings),
            cwd=tmp_path,
            stderr=file,
        )
    wait_until(lambda: holds_hangups(process.pid))
    process.send_signal(signal.SIGHUP)
    if workers == "2":
        # The whole group of a worker hears of it while that starts, too.
        wait_until(lambda: any(map(holds_hangups, children_of(process.pid))))
        for pid in children_of(process.pid):
            os.kill(pid, signal.SIGHUP)
        wait_until(lambda: "Replacing the workers" in log.read_text())
        process.terminate()

    assert process.wait(TIMEOUT_SECONDS) == 0
    assert "Traceback" not in log.read_text()


def test_nobody_serves_on_when_the_parent_is_killed(migrated_sqlite: Path, tmp_path: Path) -> None:
    url = databases.copy_of(migrated_sqlite, tmp_path)
    with running_server(url, SECRET_KEY, tmp_path, WORKERS="2") as server:
        workers = workers_of(server)
        server.process.kill()
        server.process.wait(TIMEOUT_SECONDS)

        wait_until(lambda: not any(map(process_exists, workers)))


def test_the_log_says_once_what_to_open_and_what_is_not_shared(one_server: Server) -> None:
    assert one_server.logged().count("Gatehouse: open") == 1
    assert one_server.logged().count("RATE_LIMIT_STORAGE_URL") == 1


def test_a_restart_that_cannot_be_leaves_all_as_it_was(one_server: Server) -> None:
    before = workers_of(one_server)
    dotenv = one_server.log.with_name(".env")
    dotenv.write_text("PUBLIC_URL=nowhere")
    one_server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: "keeping the current workers" in one_server.logged())
    dotenv.unlink()

    assert "PUBLIC_URL must be an address" in one_server.logged()
    assert workers_of(one_server) == before
    assert httpx.get(f"{one_server.url}/health/ready").status_code == 200


def test_a_worker_that_is_killed_is_replaced(one_server: Server) -> None:
    killed, other = workers_of(one_server)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: one_server.logged().count("2 workers are serving") == 2)

    assert killed not in workers_of(one_server)
    assert other in workers_of(one_server)
    assert httpx.get(f"{one_server.url}/health/ready").status_code == 200


def test_however_many_ask_for_a_restart_there_is_one_more_at_most(one_server: Server) -> None:
    restarted, whole = "All workers were replaced", "2 workers are serving"
    before = one_server.logged().count(restarted), one_server.logged().count(whole)
    for _ in range(10):
        one_server.process.send_signal(signal.SIGHUP)
        time.sleep(0.02)  # two pending signals of one kind are one
    wait_until(lambda: one_server.logged().count(restarted) == before[0] + 1)
    wait_until(lambda: one_server.logged().count(restarted) == before[0] + 2)
    # The replacement of a worker comes after every requested restart.
    os.kill(workers_of(one_server).pop(), signal.SIGKILL)
    wait_until(lambda: one_server.logged().count(whole) == before[1] + 1)

    assert one_server.logged().count(restarted) == before[0] + 2


@pytest.mark.parametrize("workers", ["1", "3"])
def test_what_keeps_everyone_from_serving_is_said_once(workers: str, tmp_path: Path) -> None:
    no_such_folder = "sqlite:////nowhere/gatehouse.db"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        no_port = startup_error(tmp_path, workers, PORT=port)
        no_database = startup_error(tmp_path, workers, PORT="0", DATABASE_URL=no_such_folder)

    assert no_database == "gatehouse: unable to open database file\n"
    assert no_port.startswith(f"gatehouse: cannot listen on HOST 127.0.0.1 and PORT {port}: ")
    assert no_port.count("\n") == 1


def startup_error(folder: Path, workers: str, **settings: str) -> str:
    refused = subprocess.run(
        [GATEHOUSE, "serve", "--workers", workers],
        env=environment(SECRET_KEY=SECRET_KEY, **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert refused.returncode == 1
    return refused.stderr


async def test_a_worker_that_hangs_before_it_serves_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "HEARTBEAT", timedelta(milliseconds=10))
    ours, theirs = socket.socketpair()
    with theirs:
        hanging = await asyncio.create_subprocess_exec("sleep", "60")
        worker = Worker(hanging, *await asyncio.open_connection(sock=ours))

        ended = await worker.wait(
            start_timeout=timedelta(milliseconds=50), heartbeat_timeout=timedelta.max
        )
        worker.stop()

    assert ended == -signal.SIGKILL
    assert worker.serving_or_exited.is_set()
    assert not worker.is_serving
