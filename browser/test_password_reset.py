"""Resetting a forgotten password on the account pages, with the mailbox of development."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.account.steps import notice
from browser.axe import problems
from browser.mailbox import mailed
from browser.sign_up import sign_out, sign_up
from tests.conftest import SECRET_KEY
from tests.servers import running_server

NEW = "difference engine"
PAGES = ("forgot-password", "reset-password", "reset-password#token=x", "secure-account#token=x")


def request_link(page: Page, email: str) -> None:
    page.goto("/account/login")
    page.get_by_role("link", name="Forgot your password?").click()
    expect(page.get_by_role("heading", name="Reset your password")).to_be_visible()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(notice(page)).to_contain_text(f"If an account has the email {email}, a link is on its")
    expect(notice(page)).to_contain_text("10 minutes")


def mailed_link(page: Page, name: str) -> str:
    return mailed(page, f"{name}@example.com", "Reset your password")[1]


def choose(page: Page, secret: str) -> None:
    page.get_by_label("New password", exact=True).fill(secret)
    page.get_by_role("button", name="Change password").click()


def test_a_forgotten_password_is_reset(page: Page, name: str) -> None:
    sign_up(page, name)
    sign_out(page)
    request_link(page, f"{name}@example.com")
    page.goto(mailed_link(page, name))
    choose(page, NEW)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(notice(page)).to_contain_text("Your password is changed")
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password", exact=True).fill(NEW)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Username")).to_have_value(name)


def test_the_token_leaves_the_address_and_opening_the_link_uses_nothing(
    page: Page, browser: Browser, name: str
) -> None:
    sign_up(page, name)
    sign_out(page)
    request_link(page, f"{name}@example.com")
    link = mailed_link(page, name)
    # A program that checks mail runs scripts, too.
    scanner = browser.new_page()
    scanner.goto(link)
    expect(scanner.get_by_label("New password", exact=True)).to_be_visible()
    scanner.close()

    page.goto(link)
    expect(page.get_by_label("New password", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/account/reset-password$"))
    choose(page, "short")
    expect(page.get_by_text("A password must have 8 to 128 characters.")).to_be_visible()
    choose(page, NEW)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    page.goto(link)
    choose(page, "a third password")
    expect(page.get_by_role("alert")).to_contain_text("expired or already used")
    page.reload()
    expect(page.get_by_text("This page needs the link of the mail.")).to_be_visible()


def test_a_signed_in_user_can_reset_too_and_is_signed_out(page: Page, name: str) -> None:
    sign_up(page, name)
    page.goto("/account/forgot-password")
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_role("button", name="Send the link").click()
    expect(notice(page)).to_contain_text("is on its way")
    page.goto(mailed_link(page, name))
    choose(page, NEW)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(notice(page)).to_contain_text("Your password is changed")


def test_an_email_that_nobody_has_reads_the_same(page: Page) -> None:
    request_link(page, "nobody@example.com")

    page.goto("/mailbox")
    expect(page.get_by_text("nobody@example.com")).to_have_count(0)


def test_without_mail_there_is_no_link(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("without")
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder) as server:
        page = browser.new_page(base_url=server.url, locale="en-GB")
        page.goto("/account/login")
        expect(page.get_by_role("link", name="Create an account")).to_be_visible()
        expect(page.get_by_role("link", name="Forgot your password?")).to_have_count(0)
        page.goto("/account/forgot-password")
        page.get_by_label("Email").fill("ada@example.com")
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_role("alert")).to_contain_text("This server sends no mail.")
        page.close()


@pytest.mark.parametrize("language", ["English", "Deutsch"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestLooks:
    @pytest.fixture
    def page_options(self, scheme: str) -> dict[str, Any]:
        return {
            "viewport": {"width": 360, "height": 740},
            "color_scheme": scheme,
            "reduced_motion": "reduce",
        }

    @pytest.mark.parametrize("path", PAGES)
    def test_the_pages_fit_a_phone_and_axe_finds_nothing(
        self, page: Page, path: str, language: str
    ) -> None:
        page.goto(f"/account/{path}")
        page.get_by_role("button", name=language).click()

        assert problems(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 360
