"""Swagger UI at /docs: authorize with a password, then read /userinfo."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.operations import REGISTER
from tests.servers import Server


def test_authorize_and_read_userinfo(page: Page, server: Server, pictures: Path) -> None:
    grace = {"username": "grace", "email": "grace@example.com", "password": "nanoseconds of wire"}
    httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": grace})
    page.goto("/docs")
    page.get_by_role("button", name="Authorize").first.click()
    form = page.locator(".auth-container").filter(has_text="Flow: password")
    form.get_by_label("username:").fill("grace")
    form.get_by_label("password:").fill("nanoseconds of wire")
    form.get_by_role("button", name="Apply given OAuth2 credentials").click()
    expect(form.get_by_text("Authorized")).to_be_visible()
    form.get_by_role("button", name="Close").click()
    page.mouse.move(0, 0)
    page.screenshot(path=pictures / "swagger.png")

    page.get_by_role("button", name="GET /userinfo").first.click()
    with page.expect_response("**/userinfo") as response:
        page.get_by_role("button", name="Execute").click()
    assert response.value.json()["email"] == "grace@example.com"
    expect(page.locator(".live-responses-table")).to_contain_text("grace@example.com")


class TestDarkTheme:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}

    def test_the_page_follows_the_system(self, page: Page, tmp_path: Path) -> None:
        page.goto("/docs")
        expect(page.get_by_role("button", name="Authorize").first).to_be_visible()
        page.screenshot(path=tmp_path / "dark.png")

        expect(page.locator("html")).to_have_css("background-color", "rgb(28, 32, 34)")
        page.emulate_media(color_scheme="light")
        expect(page.locator("html")).not_to_have_css("background-color", "rgb(28, 32, 34)")
