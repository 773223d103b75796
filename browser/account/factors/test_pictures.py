"""The pictures of second factors and passkeys, and of all ways to sign in, in the documentation."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.account.factors.authenticators import Authenticator
from browser.account.factors.servers import localhost_server
from browser.account.factors.steps import set_up_app
from browser.account.steps import FIREFOX
from browser.sign_up import sign_up

WAYS_IN: tuple[tuple[Any, str], ...] = (
    ("button", "Sign in with a passkey"),
    ("link", "Sign in with a code sent by mail"),
    ("link", "Forgot your password?"),
    ("link", "Create an account"),
)


def test_the_page_to_sign_in_is_taken(browser: Browser, tmp_path: Path, pictures: Path) -> None:
    """On a server that sends mail, as in development."""
    with localhost_server(f"sqlite:///{tmp_path / 'gatehouse.db'}", tmp_path) as server:
        context = browser.new_context(base_url=server.url, locale="en-GB")
        page = context.new_page()
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto("/account/login")
        for role, name in WAYS_IN:
            expect(page.get_by_role(role, name=name)).to_be_visible()
        expect(page.locator(".brand img")).to_have_js_property("complete", True)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=pictures / "account-login.png")
        context.close()


class TestPicture:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 1280, "height": 1000}, "user_agent": FIREFOX}

    def test_it_is_taken(
        self, page: Page, device: Authenticator, database_url: str, pictures: Path
    ) -> None:
        sign_up(page, "edith")
        set_up_app(page, database_url)
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.locator("main li")).to_have_count(1)
        page.goto("/account/security")
        expect(page.locator("main li")).to_have_count(1)
        page.screenshot(path=pictures / "account-security.png")
