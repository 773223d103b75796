"""Fixtures of the account pages: a server on SQLite and one on PostgreSQL. Folders of capabilities
have databases and servers of their own, because their tests take the same names."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from browser.account.steps import APP, FIREFOX
from browser.database import database
from tests.conftest import DATABASES, SECRET_KEY
from tests.servers import Server, running_server


@pytest.fixture(scope="session", params=DATABASES)
def database_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with database(request.param, tmp_path_factory.mktemp("database")) as url:
        yield url


@pytest.fixture(scope="session")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("account")
    settings = {"CORS_ORIGINS": APP, "TRUSTED_PROXIES": "127.0.0.1"}
    with running_server(database_url, SECRET_KEY, folder, **settings) as server:
        yield server


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 800}, "user_agent": FIREFOX}


@pytest.fixture
def unchecked_page(browser: Browser, server: Server) -> Iterator[Page]:
    """Yield a page whose console may have errors, which Chromium writes for failed requests."""
    context = browser.new_context(base_url=server.url, locale="en-GB")
    yield context.new_page()
    context.close()
