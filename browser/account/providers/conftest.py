"""Fixtures of sign-ins with a provider: a certified OpenID provider, and a server with it, on
SQLite and on PostgreSQL. The server sends no mail."""

from collections.abc import Iterator

import pytest

from browser.account.steps import APP
from browser.database import database
from clients.openid_provider import callback_of, openid_provider, provider_settings
from tests.conftest import DATABASES, SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.servers import Server, free_port, running_server


@pytest.fixture(scope="session", params=DATABASES)
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with database(request.param, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="session")
def server_port() -> int:
    return free_port()


@pytest.fixture(scope="session")
def issuer(server_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("provider")
    with openid_provider(folder, callback_of(server_port)) as issuer:
        yield issuer


@pytest.fixture(scope="session")
def server(
    database_url: str, server_port: int, issuer: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("providers")
    settings = {
        "PORT": str(server_port),
        "PUBLIC_URL": f"http://127.0.0.1:{server_port}",
        "DATA_KEY": DATA_KEY,
        "ENVIRONMENT": "production",
        "CORS_ORIGINS": APP,
        **provider_settings(issuer),
    }
    with running_server(database_url, SECRET_KEY, folder, **settings) as server:
        yield server


@pytest.fixture
def origins(server: Server, issuer: str) -> tuple[str, ...]:
    return (server.url, issuer)
