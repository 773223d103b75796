"""Fixtures: Chromium, and a server started by `gatehouse serve`. No other host can be reached."""

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.servers import Server, running_server

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
DOCS = Path(__file__).parent.parent / "docs"

# Chromium must not look for updates, and its sandbox does not work as root.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

numbers = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server whose mails go to the mailbox of development."""
    folder = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder, DATA_KEY=DATA_KEY) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "Chromium was not found. Install it, or set CHROMIUM=/path/to/chromium."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def origins(server: Server) -> tuple[str, ...]:
    """Return the origins that a page can reach."""
    return (server.url,)


@pytest.fixture
def page(
    browser: Browser, server: Server, origins: tuple[str, ...], page_options: dict[str, Any]
) -> Iterator[Page]:
    """Yield a page that can reach these origins only.

    The test fails if the page sends a request to another origin, or logs an error or a warning,
    such as a violation of the Content Security Policy.
    """
    blocked: list[str] = []
    console: list[str] = []

    def block_other_origins(route: Route) -> None:
        if route.request.url.startswith(tuple(f"{origin}/" for origin in origins)):
            route.continue_()
        else:
            blocked.append(route.request.url)
            route.abort()

    context = browser.new_context(base_url=server.url, locale="en-GB", **page_options)
    context.route("**/*", block_other_origins)
    page = context.new_page()
    page.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: console.append(f"error: {error}"))
    yield page
    context.close()

    assert blocked == []
    assert [line for line in console if line.startswith(("error", "warning"))] == []


@pytest.fixture
def name() -> str:
    """Return a username that no other test has."""
    return f"ada{next(numbers)}x"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return the folder for screenshots: docs/ if SCREENSHOTS is set, else a temporary one."""
    return DOCS if os.environ.get("SCREENSHOTS") else tmp_path
