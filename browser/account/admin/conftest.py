"""Fixtures of the pages of administrators: a server with a mailbox, on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest

from browser.account.factors.servers import localhost_server
from browser.database import database
from tests.conftest import DATABASES
from tests.servers import Server


@pytest.fixture(scope="session", params=DATABASES)
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with database(request.param, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="session")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("admin")
    with localhost_server(database_url, folder, TRUSTED_PROXIES="127.0.0.1") as it:
        yield it
