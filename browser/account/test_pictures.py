"""The pictures of the account pages in the documentation."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from browser.account.looks import in_picture
from browser.account.steps import EDGE, PAGES, SAFARI, log_in_elsewhere, open_page
from browser.sign_up import sign_up
from tests.operations import LOGIN
from tests.servers import Server

PICTURES = ("sessions", "events-dark", "sessions-phone")


class TestPictures:
    """What the documentation shows. Signed in from several devices."""

    @pytest.fixture(params=["light", "dark", "phone"])
    def look(self, request: pytest.FixtureRequest) -> str:
        look: str = request.param
        return look

    @pytest.fixture
    def page_options(self, look: str) -> dict[str, Any]:
        headers = {"X-Forwarded-For": "198.51.100.7"}
        return in_picture(look, height=800) | {"extra_http_headers": headers}

    def test_they_are_taken(self, page: Page, server: Server, look: str, pictures: Path) -> None:
        suffix = "" if look == "light" else f"-{look}"
        name = {"light": "ada", "dark": "grace", "phone": "joan"}[look]

        def take(title: str) -> None:
            if f"{title}{suffix}" in PICTURES:
                page.evaluate("document.activeElement.blur()")
                picture = pictures / f"account-{title}{suffix}.png"
                page.screenshot(path=picture, full_page=True)

        sign_up(page, name)
        log_in_elsewhere(server, name, SAFARI, "203.0.113.20")
        log_in_elsewhere(server, name, EDGE, "198.51.100.7")
        wrong = {"username": name, "password": "wrong engine"}
        httpx.post(
            f"{server.url}/graphql",
            json={"query": LOGIN, "variables": wrong},
            headers={"User-Agent": EDGE, "X-Forwarded-For": "192.0.2.44"},
        )
        for title in ("Sessions", "Security events"):
            open_page(page, title)
            expect(page.locator("main li")).not_to_have_count(0)
            take(PAGES[title])

        if look == "dark":
            # As account.css has it.
            body = "getComputedStyle(document.body).backgroundColor"
            assert page.evaluate(body) == "rgb(16, 18, 22)"
