"""The pictures of the pages of administrators in the documentation."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.account.admin.steps import (
    REASON,
    User,
    act,
    add_app,
    grant,
    open_account,
    register,
    search,
    sign_up_with_role,
)
from browser.account.looks import in_picture
from tests.servers import Server

# Who looks, and at whom.
USERS = {
    "light": ("grace", "amber", "amelie", "amos"),
    "dark": ("ada", "bella", "bernd", "boris"),
    "phone": ("joan", "carla", "carol", "cora"),
}


class TestPictures:
    @pytest.fixture(params=["light", "dark", "phone"])
    def look(self, request: pytest.FixtureRequest) -> str:
        look: str = request.param
        return look

    @pytest.fixture
    def page_options(self, look: str) -> dict[str, Any]:
        headers = {"X-Forwarded-For": "198.51.100.7"}
        return in_picture(look, height=1000) | {"extra_http_headers": headers}

    def test_they_are_taken(
        self, page: Page, server: Server, database_url: str, look: str, pictures: Path
    ) -> None:
        administrator, *names = USERS[look]
        users = [register(server, name) for name in names]
        add_app(server, database_url, users[0])
        sign_up_with_role(page, database_url, administrator)
        grant(database_url, users[2].username, "SUPPORT")
        open_account(page, users[1])
        act(page, "Disable the account", reason="Sends unwanted messages")
        expect(page.get_by_text("The account is disabled.")).to_be_visible()
        PICTURES[look](page, users, pictures)


def of_search_and_impersonation(page: Page, users: list[User], pictures: Path) -> None:
    page.goto("/account/admin")
    search(page, "am")
    expect(page.locator("main ol li").first).to_be_visible()
    page.screenshot(path=pictures / "account-admin.png")
    open_account(page, users[0])
    act(page, "Act in place of the user", reason=REASON)
    expect(page.get_by_text("You act as")).to_be_visible()
    expect(page.locator("main .loading")).to_have_count(0)
    page.screenshot(path=pictures / "account-admin-acting.png")


def of_an_account(page: Page, users: list[User], pictures: Path) -> None:
    open_account(page, users[0])
    page.screenshot(path=pictures / "account-admin-account-dark.png", full_page=True)


def of_a_dialog(page: Page, users: list[User], pictures: Path) -> None:
    open_account(page, users[0])
    page.get_by_role("button", name="Disable the account").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Sends unwanted messages")
    page.screenshot(path=pictures / "account-admin-phone.png")


PICTURES = {"light": of_search_and_impersonation, "dark": of_an_account, "phone": of_a_dialog}
