"""Subscriptions by graphql-ws and graphql-sse, to a server of two workers."""

import http.client
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from browser.database import database
from clients.npm import expired_token
from clients.watcher import Watcher, watching
from tests.conftest import DATABASES, SECRET_KEY
from tests.operations import LOGIN, LOGOUT_EVERYWHERE, REGISTER
from tests.servers import TIMEOUT_SECONDS, Server, running_server, wait_until, workers_of

PASSWORD = "analytical engine"
LOGOUT = "mutation { logout }"

# A poll each second, the check of a session each fifth, and a busy machine.
SOON_SECONDS = 5

numbers = count()


@pytest.fixture(scope="module", params=DATABASES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    settings = {"WORKERS": "2", "MAX_QUERY_ALIASES": "500", "MAX_QUERY_TOKENS": "2000"}
    with (
        database(request.param, folder) as url,
        running_server(url, SECRET_KEY, folder, **settings) as server,
    ):
        wait_until(lambda: "2 workers are serving" in server.logged())
        yield server


def execute(server: Server, document: str, token: str | None = None, **variables: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": variables}
    answer = httpx.post(f"{server.url}/graphql", json=body, headers=headers).json()
    assert "errors" not in answer, answer
    return answer["data"]


@pytest.fixture
def name(server: Server) -> str:
    name = f"ada{next(numbers)}"
    execute(server, REGISTER, username=name, email=f"{name}@example.com", password=PASSWORD)
    return name


@pytest.fixture
def token(server: Server, name: str) -> str:
    return log_in(server, name)


def log_in(server: Server, name: str) -> str:
    token: str = execute(server, LOGIN, username=name, password=PASSWORD)["login"]["accessToken"]
    return token


def enter_a_wrong_password(server: Server, name: str, *, times: int) -> None:
    body = {"query": LOGIN, "variables": {"username": name, "password": "wrong engine"}}
    with httpx.Client() as client:
        for _ in range(times):
            answer = client.post(f"{server.url}/graphql", json=body).json()
            assert answer["errors"][0]["extensions"]["code"] == "INVALID_CREDENTIALS"


def worker_of(server: Server, port: int) -> int:
    """Return the process that serves the connection from a port of this machine."""
    ends = re.escape(f"{urlsplit(server.url).port:04X}") + r" 0100007F:" + f"{port:04X}"
    row = rf"^ *\d+: 0100007F:{ends} 01(?: +\S+){{5}} +(\d+) "
    found = re.search(row, Path("/proc/net/tcp").read_text(), re.M)
    assert found, f"no connection from port {port}"
    [worker] = [pid for pid in workers_of(server) if f"socket:[{found[1]}]" in files_of(pid)]
    return worker


def files_of(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            found.add(str(file.readlink()))
    return found


def connection_to_another_worker(server: Server, worker: int) -> http.client.HTTPConnection:
    address = urlsplit(server.url)
    for _ in range(200):
        connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=TIMEOUT_SECONDS
        )
        connection.request("GET", "/health/live")
        connection.getresponse().read()
        if worker_of(server, connection.sock.getsockname()[1]) != worker:
            return connection
        connection.close()
    raise AssertionError("one worker takes all connections")


def wait_until_subscribed(server: Server, name: str, watcher: Watcher) -> None:
    """Make events until the watcher is told of them. None is left."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not watcher.is_told(within=2):
        assert time.monotonic() < deadline
        enter_a_wrong_password(server, name, times=1)
    execute(server, LOGOUT, log_in(server, name))
    while watcher.next_event() != "SESSION_ENDED":
        pass


@pytest.mark.parametrize("protocol", ["ws", "sse"])
def test_events_arrive_as_they_happen(server: Server, name: str, token: str, protocol: str) -> None:
    with watching(server, token, protocol=protocol) as watcher:
        if protocol == "ws":
            watcher.next("connected")
        wait_until_subscribed(server, name, watcher)
        execute(server, LOGOUT, log_in(server, name))
        enter_a_wrong_password(server, name, times=1)
        kinds = [watcher.next_event() for _ in range(3)]

    assert kinds == ["LOGGED_IN", "SESSION_ENDED", "WRONG_PASSWORD"]


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="needs Linux")
def test_a_session_that_another_worker_ends_is_closed_with_4401(
    server: Server, name: str, token: str
) -> None:
    own = log_in(server, name)
    with watching(server, token) as watcher:
        worker = worker_of(server, watcher.next("connected"))
        wait_until_subscribed(server, name, watcher)
        connection = connection_to_another_worker(server, worker)
        body = json.dumps({"query": LOGOUT_EVERYWHERE, "variables": {"but": True}})
        headers = {"Authorization": f"Bearer {own}", "Content-Type": "application/json"}
        started = time.monotonic()
        connection.request("POST", "/graphql", body, headers)
        answer = json.load(connection.getresponse())
        [error] = watcher.next("error")
        code = watcher.next("closed")
        seconds = time.monotonic() - started
        connection.close()
        rest = watcher.rest()

    print(f"closed {seconds:.2f} s after another worker has ended the session")
    assert answer["data"]["logoutEverywhere"] > 0
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert code == 4401
    assert rest == []
    assert seconds < SOON_SECONDS


def test_an_event_stream_ends_with_its_session(server: Server, name: str, token: str) -> None:
    query = "subscription Me { me { username } }"
    with watching(server, token, protocol="sse", query=query) as watcher:
        assert watcher.next("next") == {"me": {"username": name}}
        execute(server, LOGOUT, token)
        [error] = watcher.next("errors")
        watcher.next("complete")
        rest = watcher.rest()

    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert rest == []


def test_a_restart_closes_with_1012_and_the_client_comes_back(
    server: Server, name: str, token: str
) -> None:
    with watching(server, token) as watcher:
        watcher.next("connected")
        server.process.send_signal(signal.SIGHUP)
        assert watcher.next("closed") == 1012
        watcher.until("connected")

        wait_until_subscribed(server, name, watcher)


def test_an_expired_token_closes_with_4403_and_the_client_takes_a_new_one(
    server: Server, name: str, token: str
) -> None:
    query = "subscription Me { me { username } }"
    with watching(server, expired_token(server), token, query=query) as watcher:
        watcher.next("connected")
        assert watcher.next("closed") == 4403
        watcher.next("connected")

        assert watcher.next("next") == {"me": {"username": name}}


def test_a_client_that_does_not_read_is_completed(server: Server, name: str, token: str) -> None:
    """And one that reads gets all events."""
    many = " ".join(f"a{number}: id" for number in range(450))
    query = f"subscription Many {{ securityEvents {{ kind {many} }} }}"
    with watching(server, token, query=query) as slow, watching(server, token) as fast:
        for one in (slow, fast):
            one.next("connected")
            wait_until_subscribed(server, name, one)
        while slow.is_told(within=1) or fast.is_told(within=1):
            (slow if slow.is_told(within=0) else fast).next("next")
        slow.tell("pause")
        for _ in range(8):
            enter_a_wrong_password(server, name, times=60)
            assert {fast.next_event() for _ in range(60)} == {"WRONG_PASSWORD"}
        slow.tell("resume")
        taken = slow.until("complete")

    assert all(list(one) == ["next"] for one in taken)
    print(f"{len(taken)} of 480 events were taken")
    assert len(taken) < 480
