"""The pages of administrators to assistive technology and on a phone."""

from collections.abc import Callable
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
from browser.account.steps import FIREFOX
from browser.axe import problems
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
        # Without transitions, colours are final at once.
        return {"color_scheme": scheme, "reduced_motion": "reduce", "user_agent": FIREFOX}

    def test_axe_finds_nothing_on_any_page_or_dialog(
        self, page: Page, server: Server, database_url: str, name: str
    ) -> None:
        found: list[str] = []

        def look() -> None:
            found.extend(problems(page))

        walk(page, server, database_url, name, look)

        assert found == []


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        viewport = {"width": 360, "height": 740}
        return {"viewport": viewport, "has_touch": True, "user_agent": FIREFOX}

    def test_every_page_and_dialog_fits_the_screen_in_both_languages(
        self, page: Page, server: Server, database_url: str, name: str
    ) -> None:
        widths: list[int] = []

        def look() -> None:
            for language in ("Deutsch", "English"):
                page.locator("footer button", has_text=language).evaluate("it => it.click()")
                expect(page.locator("html")).to_have_attribute("lang", language[:2].lower())
                widths.append(page.evaluate(WIDEST))

        walk(page, server, database_url, name, look)

        assert widths
        assert max(widths) == 360


# Of the page and of what is in a dialog.
WIDEST = """Math.max(
    document.documentElement.scrollWidth,
    ...[...document.querySelectorAll("dialog, dialog *")].map((it) => it.getBoundingClientRect().right),
)"""
