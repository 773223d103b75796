"""A real Chromium, in front of `gatehouse serve`, with nothing else in reach."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.conftest import SECRET_KEY
from tests.servers import Server, running_server

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
DOCS = Path(__file__).parent.parent / "docs"

# Chromium would look for its own updates, and has no sandbox for root.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "There is no Chromium: install it, or name one: CHROMIUM=/path/to/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def page(browser: Browser, server: Server, page_options: dict[str, Any]) -> Iterator[Page]:
    """A page with the network closed. Whatever it does, nothing leaves the origin and no policy is broken."""
    left: list[str] = []
    said: list[str] = []

    def keep_within_the_origin(route: Route) -> None:
        if route.request.url.startswith(f"{server.url}/"):
            route.continue_()
        else:
            left.append(route.request.url)
            route.abort()

    context = browser.new_context(base_url=server.url, locale="en-GB", **page_options)
    context.route("**/*", keep_within_the_origin)
    page = context.new_page()
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    yield page
    context.close()

    assert left == []
    assert [line for line in said if line.startswith(("error", "warning"))] == []


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures go: into the documentation when they are to be renewed."""
    return DOCS if os.environ.get("SCREENSHOTS") else tmp_path
