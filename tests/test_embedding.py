"""The application in other servers and in other applications, which make and run it themselves."""

import asyncio
import logging
import signal
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from settings import Settings
from tests import databases
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.databases import copy_of
from tests.operations import ME
from tests.servers import free_port, running_server
from tests.users import GraphQL, register_user
from tests.websockets import execute, initialize, open_socket


class Notes:
    """A middleware of the application's user, which notes the path of each request."""

    made: list["Notes"]

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.paths: list[str] = []
        self.made.append(self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            self.paths.append(scope["path"])
        await self.app(scope, receive, send)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[Notes]:
    monkeypatch.setattr(Notes, "made", [], raising=False)
    return Notes.made


async def test_middleware_that_is_added_later_runs_for_every_route(
    settings: Settings, notes: list[Notes]
) -> None:
    app = create_app(settings)
    app.add_middleware(Notes)
    paths = ["/graphql", "/graphql", "/token", "/health/live", "/nowhere", "/graphql"]
    async with app.router.lifespan_context(app), client_of(app) as client:
        for path in paths:
            await client.get(path)

    [one] = notes
    assert one.paths == paths


async def test_an_answer_of_that_middleware_is_the_answer(settings: Settings) -> None:
    app = create_app(settings)

    @app.middleware("http")
    async def close(request: Request, call_next: object) -> Response:
        return Response("closed", status_code=418)

    async with app.router.lifespan_context(app), client_of(app) as client:
        answers = [await client.post("/graphql", json={"query": ME}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [418, 418]


def state_of_the_process() -> object:
    loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.error")]
    loggers += [logging.getLogger(name) for name in ("uvicorn.access", "gatehouse", "asyncio")]
    return (
        [
            (logger.level, logger.handlers[:], logger.filters[:], logger.propagate, logger.disabled)
            for logger in loggers
        ],
        [getattr(logging, f"log{what}") for what in ("Threads", "Processes", "Multiprocessing")],
        [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)],
        (warnings.showwarning, sys.excepthook, logging.getLogRecordFactory()),
    )


def test_making_it_leaves_the_process_as_it_is(tmp_path: Path) -> None:
    before = state_of_the_process()
    create_app(settings_for(f"sqlite:///{tmp_path / 'x.db'}", environment="production"))

    assert state_of_the_process() == before


async def register_and_read(app: ASGIApp, path: str) -> str:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://host.test{path}") as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        username: str = (await graphql(ME, by=ada)).data["me"]["username"]
        return username


async def test_mounted_without_its_lifespan_it_begins_with_the_first_request(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    host = FastAPI()
    host.mount("/accounts", create_app(settings))

    assert await register_and_read(host, "/accounts") == "Ada"
    assert caplog.text.count("runs without its lifespan") == 1


async def test_mounted_with_its_lifespan_it_says_nothing(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """As docs/how-to/embedding.md shows."""
    gatehouse = create_app(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with gatehouse.router.lifespan_context(gatehouse):
            yield

    host = FastAPI(lifespan=lifespan)
    host.mount("/accounts", gatehouse)
    async with host.router.lifespan_context(host):
        assert await register_and_read(host, "/accounts") == "Ada"

    assert "lifespan" not in caplog.text


async def test_of_twenty_first_requests_one_begins_it(
    empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An SQLite file gets its tables; PostgreSQL is never migrated unasked."""
    app = create_app(settings_for(empty_database_url))
    async with client_of(app) as client:
        found = await asyncio.gather(*(client.get("/health/ready") for _ in range(20)))

    if empty_database_url.startswith("sqlite"):
        assert {answer.status_code for answer in found} == {200}
    else:
        assert {answer.status_code for answer in found} == {503}
        assert "run `gatehouse migrate`" in found[0].json()["error_description"]
        assert "run `gatehouse migrate`" in caplog.text
    assert caplog.text.count("runs without its lifespan") == 1


@pytest.fixture
def unusable_database_url(empty_database_url: str) -> str:
    """Return the URL of a database of a newer release, which excludes this code."""
    databases.migrate(empty_database_url)
    databases.make_newer(empty_database_url, oldest_compatible="0999")
    return empty_database_url


async def test_what_keeps_it_from_its_begin_is_logged_once(
    unusable_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(create_app(settings_for(unusable_database_url))) as client:
        found = [(await client.get("/health/ready")).status_code for _ in range(3)]

    assert found == [503] * 3
    assert caplog.text.count("newer than this program") == 1
    assert caplog.text.count("runs without its lifespan") == 1


def test_it_begins_in_each_event_loop(migrated_sqlite: Path, tmp_path: Path) -> None:
    """A test client may make one for each test."""
    app = create_app(settings_for(copy_of(migrated_sqlite, tmp_path)))

    async def is_ready() -> bool:
        async with client_of(app) as client:
            return (await client.get("/health/ready")).is_success

    assert all(asyncio.run(is_ready()) for _ in range(2))


def test_uvicorn_may_run_it_without_a_lifespan(tmp_path: Path) -> None:
    port = free_port()
    uvicorn = [sys.executable, "-m", "uvicorn", "--factory", "api.app:create_app"]
    uvicorn += ["--lifespan", "off", "--port", str(port)]
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with running_server(url, SECRET_KEY, tmp_path, uvicorn, PORT=str(port)) as server:
        with open_socket(server) as socket:
            initialize(socket)
            answer = execute(socket, "{ posts { edges { node { id } } } }")
        ready = httpx.get(f"{server.url}/health/ready")

    assert answer == {"data": {"posts": {"edges": []}}}
    assert ready.status_code == 200
    assert "Traceback" not in server.logged()
