"""The picture of second factors and passkeys in the documentation."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.account.factors.authenticators import Authenticator
from browser.account.factors.steps import set_up_app
from browser.account.steps import FIREFOX
from browser.sign_up import sign_up


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
