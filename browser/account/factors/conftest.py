"""Fixtures of second factors and passkeys: a server at http://localhost, where browsers have
passkeys, on SQLite and on PostgreSQL. It sends no mail, so no email needs to be verified."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from browser.account.steps import APP
from browser.database import database
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
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port = free_port()
    url = f"http://localhost:{port}"
    settings = {
        "PORT": str(port),
        "ENVIRONMENT": "production",
        "PUBLIC_URL": url,
        "CORS_ORIGINS": APP,
        "DATA_KEY": DATA_KEY,
    }
    folder = tmp_path_factory.mktemp("factors")
    with running_server(database_url, SECRET_KEY, folder, **settings) as server:
        yield replace(server, url=url)
