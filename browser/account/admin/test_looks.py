"""The pages of administrators to assistive technology and on a phone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.account.admin.steps import (
    REASON,
    act,
    add_app,
    buttons,
    open_account,
    register,
    search,
    sign_up_with_role,
)
from browser.account.looks import PHONE, PHONE_WIDTH, in_scheme, problems_of, widest_of
from tests.servers import Server


def walk(
    page: Page, server: Server, database_url: str, name: str, look: Callable[[], None]
) -> None:
    """Visit every page and dialog in English, and look at each."""
    user = register(server, f"{name}-with-a-long-username"[:32])
    add_app(server, database_url, user)
    sign_up_with_role(page, database_url, name)
    search(page, name)
    expect(page.locator("main ol li")).to_have_count(2)
    look()
    open_account(page, user)
    look()
    for label in buttons(page):
        page.get_by_role("button", name=label, exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look()
        page.keyboard.press("Escape")
    act(page, "Delete the account")
    expect(page.locator("[aria-invalid=true]").first).to_be_visible()
    look()
    page.keyboard.press("Escape")
    act(page, "Act in place of the user", reason=REASON)
    expect(page.get_by_text("You act as")).to_be_visible()
    look()


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestAccessibility:
    @pytest.fixture
    def page_options(self, scheme: str) -> dict[str, Any]:
        return in_scheme(scheme)

    def test_axe_finds_nothing_on_any_page_or_dialog(
        self, page: Page, server: Server, database_url: str, name: str
    ) -> None:
        assert problems_of(page, partial(walk, page, server, database_url, name)) == []


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return PHONE

    def test_every_page_and_dialog_fits_the_screen_in_both_languages(
        self, page: Page, server: Server, database_url: str, name: str
    ) -> None:
        assert widest_of(page, partial(walk, page, server, database_url, name)) == PHONE_WIDTH
