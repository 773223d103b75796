"""The fixtures: a real app on a real database, and people who really registered.

Every test that touches the database runs on SQLite, and on PostgreSQL too when TEST_POSTGRES_URL names a server.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from domain.accounts.current_user import CurrentUserLoader
from domain.services import Services
from settings import Settings
from tests import databases
from tests.people import GraphQL, Person, join
from tests.servers import CHEAP, Server, running_server

# The tests choose every setting themselves, whatever the shell they run in or a .env has set.
Settings.model_config["env_file"] = None
for name in Settings.model_fields:
    os.environ.pop(name.upper(), None)

SECRET_KEY = "a secret for tests, and for nothing else but tests"


@pytest.fixture(autouse=True)
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    databases.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres() -> Iterator[str]:
    with databases.empty_postgres() as url:
        databases.migrate(url)
        yield url


REDIS_SERVER = shutil.which("redis-server")
DATABASES = ["sqlite", "postgresql"] if databases.POSTGRES_URL else ["sqlite"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if "postgresql" not in DATABASES:
        terminalreporter.write_line(
            "PostgreSQL was skipped: set TEST_POSTGRES_URL to run the same tests there too."
        )
    if not REDIS_SERVER:
        terminalreporter.write_line("Redis was skipped: install redis-server to test with it too.")


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with tables and without people."""
    if request.param == "sqlite":
        return databases.copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path)
    return databases.empty_of_people(request.getfixturevalue("migrated_postgres"))


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with databases.empty_postgres() as url:
            yield url


def settings_for(database_url: str, **others: object) -> Settings:
    """Settings with Argon2 as cheap as it gets and limits that nobody reaches, for tests that are not about them."""
    return Settings.model_validate(
        {"secret_key": SECRET_KEY, "database_url": database_url}
        | {name.lower(): value for name, value in CHEAP.items()}
        | others
    )


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def unprepared_app(settings: Settings) -> AsyncIterator[FastAPI]:
    """An app that has not looked at its database, and has opened no connection yet."""
    app = create_app(settings)
    yield app
    await app.state.gatehouse.services.close()


@pytest.fixture
def current_users(app: FastAPI) -> CurrentUserLoader:
    current_users: CurrentUserLoader = app.state.gatehouse.current_users
    return current_users


@pytest.fixture
def services(app: FastAPI) -> Services:
    services: Services = app.state.gatehouse.services
    return services


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app) as client:
        yield client


def client_of(app: FastAPI, *, ip: str = "127.0.0.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(ip, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://gatehouse.test")


@pytest.fixture
def graphql(client: httpx.AsyncClient) -> GraphQL:
    return GraphQL(client)


@pytest.fixture
async def ada(graphql: GraphQL) -> Person:
    return await join(graphql, "Ada", "ada@example.com", "analytical engine")


@pytest.fixture
async def grace(graphql: GraphQL) -> Person:
    return await join(graphql, "Grace", "grace@example.com", "nanoseconds of wire")


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    """`gatehouse serve` as a process of its own, on a real socket."""
    with running_server(database_url, SECRET_KEY, tmp_path) as server:
        yield server


@pytest.fixture(scope="module", params=DATABASES)
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The same, one for all the tests of a file."""
    folder = tmp_path_factory.mktemp("server")
    if request.param == "sqlite":
        url = databases.copy_of(request.getfixturevalue("migrated_sqlite"), folder)
    else:
        url = databases.empty_of_people(request.getfixturevalue("migrated_postgres"))
    with running_server(url, SECRET_KEY, folder) as server:
        yield server
