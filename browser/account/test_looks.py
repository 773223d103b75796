"""The account pages to assistive technology and on a phone."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.account.steps import FIREFOX, PAGES, log_in_elsewhere, switch_language
from browser.axe import problems
from browser.sign_up import sign_up
from tests.servers import Server


@pytest.mark.parametrize("language", ["English", "Deutsch"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestAccessibility:
    @pytest.fixture
    def page_options(self, scheme: str) -> dict[str, Any]:
        # Without transitions, colours are final at once.
        return {"color_scheme": scheme, "reduced_motion": "reduce", "user_agent": FIREFOX}

    def test_axe_finds_nothing_on_any_page(
        self, page: Page, server: Server, name: str, language: str
    ) -> None:
        found = []
        page.goto("/account/login")
        switch_language(page, language)
        found += problems(page)
        page.locator("form button[type=submit]").click()
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        found += problems(page)
        switch_language(page, "English")
        sign_up(page, name)
        log_in_elsewhere(server, name)
        switch_language(page, language)
        for path in PAGES.values():
            page.locator(f"nav a[href={path}]").click()
            expect(page.locator("main .loading")).to_have_count(0)
            found += problems(page)
        page.locator("form button[type=submit]").click()
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        found += problems(page)

        assert found == []


MOVES = """() => [...document.querySelectorAll("*")].some((it) => {
    const { animationName, transitionDuration } = getComputedStyle(it);
    return animationName !== "none" || transitionDuration !== "0s";
})"""


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
class TestMotion:
    @pytest.fixture
    def page_options(self, motion: str) -> dict[str, Any]:
        return {"reduced_motion": motion}

    def test_nothing_moves_for_users_who_ask_for_that(
        self, page: Page, name: str, motion: str
    ) -> None:
        page.goto("/account/login")
        expect(page.get_by_label("Username or email")).to_be_visible()
        moves = [page.evaluate(MOVES)]
        sign_up(page, name)
        page.route("**/graphql", lambda _: None)
        page.get_by_role("navigation").get_by_role("link", name="Sessions").click()
        expect(page.locator("main .loading")).to_be_attached()
        moves.append(page.evaluate(MOVES))

        assert moves == [motion == "no-preference"] * 2


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 360, "height": 740}, "has_touch": True}

    @pytest.mark.parametrize("language", ["English", "Deutsch"])
    def test_every_page_fits_the_screen(
        self, page: Page, server: Server, name: str, language: str
    ) -> None:
        long = f"{name}-with-a-long-username"[:32]
        page.goto("/account/login")
        widths = [page.evaluate("document.documentElement.scrollWidth")]
        sign_up(page, long)
        log_in_elsewhere(server, long)
        switch_language(page, language)
        for path in PAGES.values():
            page.locator(f"nav a[href={path}]").click()
            expect(page.locator("main .loading")).to_have_count(0)
            widths.append(page.evaluate("document.documentElement.scrollWidth"))

        assert widths == [360] * 6
