"""Releases that serve one database at the same time, each as processes of its own code."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from db.migrations import HEAD
from tests import databases
from tests.conftest import SECRET_KEY
from tests.databases import POSTGRES_URL, wait_until_one_waits
from tests.releases import (
    FAILS,
    NEXT_REVISION,
    Release,
    has_history,
    next_release,
    release_before,
    this_release,
)
from tests.servers import Server, running_server, wait_until, workers_of


@pytest.fixture
def url(empty_database_url: str) -> str:
    databases.migrate(empty_database_url)
    return empty_database_url


@pytest.fixture
def two_workers(url: str, tmp_path: Path) -> Iterator[Server]:
    with running_server(url, SECRET_KEY, tmp_path, WORKERS="2") as server:
        wait_until(lambda: "2 workers are serving" in server.logged())
        yield server


def ready(server: Server) -> int:
    return httpx.get(f"{server.url}/health/ready").status_code


def test_a_worker_that_is_killed_on_a_newer_schema_is_replaced(
    url: str, two_workers: Server, tmp_path: Path
) -> None:
    migrate(next_release(tmp_path / "next", oldest_compatible=HEAD), url)
    os.kill(min(workers_of(two_workers)), signal.SIGKILL)
    wait_until(lambda: two_workers.logged().count("2 workers are serving") == 2)

    assert ready(two_workers) == 200
    assert f"the schema {NEXT_REVISION} of a newer release" in two_workers.logged()


def test_a_worker_of_an_excluded_release_is_not_replaced_and_the_log_says_why(
    url: str, two_workers: Server, tmp_path: Path
) -> None:
    migrate(next_release(tmp_path / "next", oldest_compatible=NEXT_REVISION), url)
    os.kill(min(workers_of(two_workers)), signal.SIGKILL)
    wait_until(lambda: "A worker could not start" in two_workers.logged())

    assert ready(two_workers) == 503
    assert f"has the schema {NEXT_REVISION}" in two_workers.logged()


def test_a_release_that_is_installed_in_place_is_migrated_and_reloaded(
    url: str, tmp_path: Path
) -> None:
    release = this_release(tmp_path / "installed")
    with release.serving(url, tmp_path, WORKERS="2") as server:
        wait_until(lambda: "2 workers are serving" in server.logged())
        release.become_next(oldest_compatible=HEAD)
        migrate(release, url)
        # The old workers, whose files know the new revision.
        before = ready(server)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "All workers were replaced" in server.logged())

        assert before == ready(server) == 200
        assert "newer release" not in server.logged()


def test_a_migration_that_fails_leaves_the_release_before_serving(
    url: str, two_workers: Server, tmp_path: Path
) -> None:
    failed = next_release(tmp_path / "next", oldest_compatible=HEAD, steps=FAILS).run(
        url, "migrate"
    )

    assert failed.returncode != 0
    assert "This migration fails." in failed.stderr
    assert ready(two_workers) == 200
    assert "newer" not in two_workers.logged()


# Most statements of Gatehouse lock these tables in the other order.
LOCKS = """
    op.add_column("users", sa.Column("next_release", sa.String(20)))
    op.add_column("sessions", sa.Column("next_release", sa.String(20)))
"""


@pytest.mark.skipif(not POSTGRES_URL, reason="SQLite has one writer")
def test_a_migration_gives_way_to_transactions_that_hold_its_tables(tmp_path: Path) -> None:
    release = next_release(tmp_path / "next", oldest_compatible=HEAD, steps=LOCKS)
    with databases.empty_postgres() as url, ThreadPoolExecutor() as threads:
        databases.migrate(url)
        with psycopg.connect(url) as request:
            request.execute("SELECT FROM sessions")
            migration = threads.submit(release.run, url, "migrate")
            wait_until_one_waits(url, "wait_event_type = 'Lock'")
            # Neither waits for the end of the other, nor fails in a deadlock.
            request.execute("SELECT FROM users")
        ended = migration.result()

    assert ended.returncode == 0, ended.stderr
    assert "Other transactions use the tables" in ended.stderr


@pytest.mark.skipif(not has_history(), reason="needs git and all commits")
def test_the_release_before_serves_on_todays_schema(
    empty_database_url: str, tmp_path: Path
) -> None:
    release = release_before(tmp_path / "before")
    migrate(release, empty_database_url)
    with release.serving(empty_database_url, tmp_path) as server:
        client = Client(server)
        registered = client.execute(REGISTER, username="Ada", email="ada@example.com")["register"]
        databases.migrate(empty_database_url)
        client.execute(USE, by=registered["accessToken"])
        client.execute(WRITE, by=registered["accessToken"])
        refreshed = client.execute(REFRESH, token=registered["refreshToken"])["refresh"]
        changed = client.execute(CHANGE_PASSWORD, by=refreshed["accessToken"])["changePassword"]
        client.execute("mutation { logoutEverywhere }", by=changed["accessToken"])
        signed_in = client.execute(LOGIN, username="Ada")["login"]
        client.execute(DELETE_ME, by=signed_in["accessToken"])
        client.execute(REGISTER, username="Ada", email="ada@example.com")

        assert "Traceback" not in server.logged()
        if release.knows_compatibility:
            assert ready(server) == 200


# What every release since 0010 understands.
PASSWORD = "analytical engine"
REGISTER = """mutation ($username: String!, $email: String!, $password: String!) {
  register(input: { username: $username, email: $email, password: $password }) {
    accessToken refreshToken
  }
}"""
USE = """{
  me { id username email sessions { id device } securityEvents { edges { node { kind } } } }
  posts(first: 5) { edges { node { id author { username } } } }
}"""
WRITE = """mutation {
  updateMe(input: { imageFile: "ada.png" }) { imageFile }
  createPost(input: { title: "Notes", content: "On the engine" }) { id }
}"""
LOGIN = """mutation ($username: String!, $password: String!) {
  login(username: $username, password: $password) { accessToken }
}"""
REFRESH = "mutation ($token: String!) { refresh(refreshToken: $token) { accessToken } }"
CHANGE_PASSWORD = """mutation ($password: String!) {
  changePassword(currentPassword: $password, newPassword: $password) { accessToken }
}"""
DELETE_ME = "mutation ($password: String!) { deleteMe(password: $password) }"


class Client:
    """A client of a server, for requests that must succeed."""

    def __init__(self, server: Server) -> None:
        self.url = server.url

    def execute(self, document: str, *, by: str | None = None, **variables: str) -> dict[str, Any]:
        if "$password" in document:
            variables["password"] = PASSWORD
        answer = httpx.post(
            f"{self.url}/graphql",
            json={"query": document, "variables": variables},
            headers={"Authorization": f"Bearer {by}"} if by else {},
        ).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data


def migrate(release: Release, url: str) -> None:
    ended = release.run(url, "migrate")
    assert ended.returncode == 0, ended.stderr
