"""Fixtures: a real app on a real database, and users made by the real registration.

Every test that uses a database runs on SQLite, and on PostgreSQL when TEST_POSTGRES_URL is set:
except those that are marked with `any_database`, which run on SQLite only.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import hypothesis
import pytest
from fastapi import FastAPI

from api.app import create_app
from domain.accounts.current_user import CurrentUserLoader
from domain.providers import Provider, build_provider
from domain.services import Services
from settings import Settings
from tests import databases
from tests.authenticator_apps import Clock, stopped_clock
from tests.clocks import CacheClock, stopped_caches
from tests.fault_server import serving
from tests.identity_provider import IdentityProvider
from tests.pgbouncer import PGBOUNCER_PROGRAM
from tests.redis_server import REDIS_PROGRAM
from tests.servers import CHEAP_SETTINGS, Server, running_server
from tests.users import GraphQL, RegisteredUser, register_user

# Tests set every setting themselves: the environment and a .env must not change their outcome.
Settings.model_config["env_file"] = None
for name in Settings.model_fields:
    os.environ.pop(name.upper(), None)
    os.environ.pop(f"GATEHOUSE_{name.upper()}", None)

# A suite started by `nohup` ignores SIGHUP, and one in the background of a shell SIGINT, and would
# pass that on to the processes that it starts: the tests that send these would fail. They do not
# inherit a handler, so they start with the default, and the suite itself still survives.
if sys.platform != "win32":
    for ignored in (signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(ignored) is signal.SIG_IGN:
            signal.signal(ignored, lambda *_: None)

# A slow example is no failure: other processes may have the processor.
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")

SECRET_KEY = "a secret for tests, and for nothing else but tests"

# Settings that are collected from many variables, and are no variables themselves.
COLLECTED = {"PROVIDER_SETTINGS", "SOURCES"}


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


DATABASES = ["sqlite", "postgresql"] if databases.POSTGRES_URL else ["sqlite"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if "postgresql" not in DATABASES:
        terminalreporter.write_line(
            "PostgreSQL was skipped: set TEST_POSTGRES_URL to run the same tests there too."
        )
    if not REDIS_PROGRAM:
        terminalreporter.write_line("Redis was skipped: install redis-server to test with it too.")
    if not PGBOUNCER_PROGRAM:
        terminalreporter.write_line("PgBouncer was skipped: install pgbouncer to test with it too.")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "any_database: which database it is makes no difference, so the test runs on one only",
    )


def pytest_xdist_auto_num_workers() -> int:
    """Return twice the number of cores: tests wait for processes half of their time."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that start servers. They take the longest, and must not be the last."""
    items.sort(key=lambda item: not hasattr(getattr(item, "module", None), "running_server"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    is_any = metafunc.definition.get_closest_marker("any_database")
    for fixture in ("database_url", "shared_server"):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, DATABASES[:1] if is_any else DATABASES, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a database with tables and without users."""
    if request.param == "sqlite":
        return databases.copy_of(request.getfixturevalue("migrated_sqlite"), tmp_path)
    return databases.without_users(request.getfixturevalue("migrated_postgres"))


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        with databases.empty_postgres() as url:
            yield url


def settings_for(database_url: str, **others: object) -> Settings:
    """Return settings with the cheapest Argon2 hashes and rate limits that are never reached."""
    return Settings.model_validate(
        {"secret_key": SECRET_KEY, "database_url": database_url}
        | {name.lower(): value for name, value in CHEAP_SETTINGS.items()}
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
    """Yield an app whose lifespan has not run: it has not connected to its database yet."""
    app = create_app(settings)
    yield app
    await app.state.gatehouse.current_users.close()
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
async def ada(graphql: GraphQL) -> RegisteredUser:
    return await register_user(graphql, "Ada", "ada@example.com", "analytical engine")


@pytest.fixture
async def grace(graphql: GraphQL) -> RegisteredUser:
    return await register_user(graphql, "Grace", "grace@example.com", "nanoseconds of wire")


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Stop the clock of authenticator apps until the test moves it."""
    with stopped_clock() as clock:
        yield clock


@pytest.fixture
async def identity_provider() -> AsyncIterator[IdentityProvider]:
    """Serve an OpenID provider of our own."""
    async with serving(IdentityProvider()) as identity_provider:
        yield identity_provider


@pytest.fixture
async def provider(identity_provider: IdentityProvider) -> AsyncIterator[Provider]:
    """Yield our client of this provider."""
    provider = build_provider(identity_provider.config())
    yield provider
    await provider.close()


@pytest.fixture
def cache_clock() -> Iterator[CacheClock]:
    """Stop the clock of what is kept of identity providers until the test moves it."""
    with stopped_caches() as clock:
        yield clock


@pytest.fixture
def server(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Server]:
    """Run `gatehouse serve` as a process of its own, on a real socket, for tests of what does not
    depend on the database."""
    with running_server(
        databases.copy_of(migrated_sqlite, tmp_path), SECRET_KEY, tmp_path
    ) as server:
        yield server


@pytest.fixture(scope="module")
def shared_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Run one `gatehouse serve` for all the tests of a file."""
    folder = tmp_path_factory.mktemp("server")
    if request.param == "sqlite":
        url = databases.copy_of(request.getfixturevalue("migrated_sqlite"), folder)
    else:
        url = databases.without_users(request.getfixturevalue("migrated_postgres"))
    with running_server(url, SECRET_KEY, folder) as server:
        yield server
