"""Fixtures of second factors and passkeys: a server at http://localhost, where browsers have
passkeys, on SQLite and on PostgreSQL. It sends no mail, so no email needs to be verified."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from browser.account.factors.authenticators import Authenticator, add_authenticator
from browser.account.factors.servers import localhost_server
from browser.account.steps import APP
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
    folder = tmp_path_factory.mktemp("factors")
    with localhost_server(database_url, folder, ENVIRONMENT="production", CORS_ORIGINS=APP) as it:
        yield it


@pytest.fixture
def device(page: Page) -> Authenticator:
    """Return the device that the page is on. It has a screen lock, which its user passes."""
    return add_authenticator(page)
