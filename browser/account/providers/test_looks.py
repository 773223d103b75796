"""What has to do with providers on the account pages, to assistive technology and on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.account.providers.steps import leave, linked, log_in_there, username
from browser.account.steps import FIREFOX
from browser.axe import problems
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
        # Without transitions, colours are final at once.
        return {"color_scheme": scheme, "reduced_motion": "reduce", "user_agent": FIREFOX}

    def test_axe_finds_nothing_on_any_page_or_dialog(self, page: Page, name: str) -> None:
        found: list[str] = []

        def look() -> None:
            found.extend(problems(page))

        walk(page, name, look)

        assert found == []


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        viewport = {"width": 360, "height": 740}
        return {"viewport": viewport, "has_touch": True, "user_agent": FIREFOX}

    def test_every_page_and_dialog_fits_the_screen_in_both_languages(
        self, page: Page, name: str
    ) -> None:
        widths: list[int] = []

        def look() -> None:
            for language in ("Deutsch", "English"):
                page.locator("footer button", has_text=language).evaluate("it => it.click()")
                expect(page.locator("html")).to_have_attribute("lang", language[:2].lower())
                widths.append(page.evaluate(WIDEST))

        walk(page, f"{name}-with-a-long-username"[:32], look)

        assert widths
        assert max(widths) == 360


# Of the page and of what is in a dialog.
WIDEST = """Math.max(
    document.documentElement.scrollWidth,
    ...[...document.querySelectorAll("dialog, dialog *")].map((it) => it.getBoundingClientRect().right),
)"""
