"""The pages and dialogs of second factors and passkeys to assistive technology and on a phone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect

from browser.account.factors.authenticators import Authenticator
from browser.account.factors.steps import enter_code, let_codes_pass, let_proofs_pass, secret
from browser.account.looks import PHONE, PHONE_WIDTH, in_scheme, problems_of, widest_of
from browser.account.steps import log_in
from browser.sign_up import sign_up

CODE_FIELD = "main input[autocomplete=one-time-code]"


def walk(
    page: Page, device: Authenticator, database_url: str, name: str, look: Callable[[], None]
) -> None:
    """Visit every page and dialog in English, and look at each."""
    page.goto("/account/login")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    look()
    sign_up(page, name)
    page.goto("/account/security")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("main li")).to_have_count(1)
    look()
    for dialog in ("Rename Firefox on Linux", "Remove Firefox on Linux"):
        page.get_by_role("button", name=dialog).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look()
        page.keyboard.press("Escape")
    page.get_by_role("link", name="Set up an authenticator app").click()
    shown = secret(page)
    look()
    enter_code(page, "no code", "Turn on")
    expect(page.locator("[aria-invalid=true]")).to_be_visible()
    look()
    enter_code(page, code_of(shown), "Turn on")
    expect(page.locator(".recovery-codes")).to_be_visible()
    look()
    page.get_by_role("button", name="I have saved the codes").click()
    expect(page.get_by_text("10 recovery codes are left.")).to_be_visible()
    look()
    let_proofs_pass(database_url)
    page.goto("/account/authenticator-app")
    expect(page.get_by_role("dialog")).to_be_visible()
    look()
    page.get_by_role("button", name="Use a recovery code instead").click()
    look()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Show the QR code")).to_be_visible()
    look()
    page.goto("/account/new-passkey")
    expect(page.get_by_role("button", name="Create the passkey")).to_be_visible()
    look()
    device.answers(False)
    page.get_by_role("button", name="Sign out").click()
    let_codes_pass(database_url)
    log_in(page, name)
    expect(page.locator(CODE_FIELD)).to_be_visible()
    look()


def code_of(secret: str) -> str:
    return pyotp.TOTP(secret).now()


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestAccessibility:
    @pytest.fixture
    def page_options(self, scheme: str) -> dict[str, Any]:
        return in_scheme(scheme)

    def test_axe_finds_nothing_on_any_page_or_dialog(
        self, page: Page, device: Authenticator, database_url: str, name: str
    ) -> None:
        assert problems_of(page, partial(walk, page, device, database_url, name)) == []


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return PHONE

    def test_every_page_and_dialog_fits_the_screen_in_both_languages(
        self, page: Page, device: Authenticator, database_url: str, name: str
    ) -> None:
        assert (
            widest_of(
                page, partial(walk, page, device, database_url, f"{name}-with-a-long-username"[:32])
            )
            == PHONE_WIDTH
        )
