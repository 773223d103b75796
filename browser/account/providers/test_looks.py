"""What has to do with providers on the account pages, to assistive technology and on a phone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.account.looks import PHONE, PHONE_WIDTH, in_scheme, problems_of, widest_of
from browser.account.providers.steps import leave, linked, log_in_there, username
from browser.sign_up import sign_up


def walk(page: Page, name: str, look: Callable[[], None]) -> None:
    """Visit every page and dialog in English, and look at each."""
    page.goto("/account/sign-up")
    expect(page.get_by_role("button", name="Continue with Work")).to_be_visible()
    look()
    leave(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("You cancelled the sign-in with Work.")).to_be_visible()
    look()
    page.goto("/account/login")
    leave(page)
    log_in_there(page, f"{name}-there"[:32], f"{name}@example.com")
    expect(username(page)).to_be_visible()
    look()
    username(page).fill("?")
    page.get_by_role("button", name="Create account").click()
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    look()
    page.get_by_role("button", name="Sign in another way").click()
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    look()
    sign_up(page, name)
    page.goto("/account/security")
    expect(page.get_by_text("No other account is linked.")).to_be_visible()
    look()
    page.get_by_role("button", name="Link Work").click()
    expect(linked(page)).to_have_count(1)
    look()
    page.get_by_role("button", name="Unlink Work").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    look()


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestAccessibility:
    @pytest.fixture
    def page_options(self, scheme: str) -> dict[str, Any]:
        return in_scheme(scheme)

    def test_axe_finds_nothing_on_any_page_or_dialog(self, page: Page, name: str) -> None:
        assert problems_of(page, partial(walk, page, name)) == []


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return PHONE

    def test_every_page_and_dialog_fits_the_screen_in_both_languages(
        self, page: Page, name: str
    ) -> None:
        assert (
            widest_of(page, partial(walk, page, f"{name}-with-a-long-username"[:32])) == PHONE_WIDTH
        )
