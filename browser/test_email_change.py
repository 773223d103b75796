"""Changing an email on the account pages, with the mailbox of development."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from browser.account.steps import notice
from browser.axe import problems
from browser.mailbox import mailed
from browser.sign_up import sign_up
from tests.servers import Server

LOOKS: dict[str, Literal["light", "dark"]] = {"English": "light", "Deutsch": "dark"}
CODE_MAIL, UNDO_MAIL = "Confirm your new email address", "Your email address was changed"


@pytest.fixture
def name(page: Page, name: str) -> str:
    """Return the name of a user who has signed up in this browser."""
    sign_up(page, name)
    return name


def email_field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Email")


def request(page: Page, email: str) -> None:
    email_field(page).fill(email)
    page.get_by_role("button", name="Change email").click()


def change(page: Page, name: str) -> None:
    """Change the email to that of the name with an x more."""
    request(page, f"{name}x@example.com")
    expect(notice(page)).to_contain_text("A code is on its way")
    code, _ = mailed(page, f"{name}x@example.com", CODE_MAIL)
    page.goto("/account/change-email")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Use this email").click()
    expect(notice(page)).to_contain_text("Your email is changed.")


def test_a_code_changes_the_email(page: Page, name: str) -> None:
    request(page, "new@example")
    expect(page.get_by_text("Enter a valid email address.")).to_be_visible()
    request(page, f"{name}x@example.com")
    expect(page.get_by_role("heading", name="Change your email")).to_be_visible()
    expect(notice(page)).to_contain_text(f"A code is on its way to {name}x@example.com.")

    code, _ = mailed(page, f"{name}x@example.com", CODE_MAIL)
    page.goto("/account/profile")
    expect(email_field(page)).to_have_value(f"{name}@example.com")
    expect(page.get_by_text(f"The change to {name}x@example.com waits")).to_be_visible()
    page.get_by_role("link", name="Enter the code").click()
    page.get_by_label("Code").fill(f"{(int(code) + 1) % 10**6:06}")
    page.get_by_role("button", name="Use this email").click()
    expect(page.get_by_text("The code or the link is wrong")).to_be_visible()
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Use this email").click()

    expect(notice(page)).to_contain_text("Your email is changed.")
    expect(email_field(page)).to_have_value(f"{name}x@example.com")
    expect(page.get_by_text("Verified.", exact=True)).to_be_visible()


def test_the_link_changes_it_when_its_button_is_pressed(page: Page, name: str) -> None:
    request(page, f"{name}x@example.com")
    expect(notice(page)).to_contain_text("A code is on its way")
    _, link = mailed(page, f"{name}x@example.com", CODE_MAIL)
    for _ in range(2):
        page.goto("about:blank")
        page.goto(link)
        expect(page.get_by_text(f"the email of the account {name}")).to_be_visible()
        expect(page).to_have_url(re.compile("/account/change-email$"))
    page.get_by_role("button", name="Use this email").click()
    expect(notice(page)).to_contain_text("Your email is changed.")

    page.goto(link)
    expect(page.get_by_text("There is no change to confirm")).to_be_visible()


def test_the_former_email_undoes_it_in_another_browser(
    page: Page, browser: Browser, server: Server, name: str
) -> None:
    change(page, name)
    _, link = mailed(page, f"{name}@example.com", UNDO_MAIL)
    other = browser.new_context(base_url=server.url, locale="en-GB").new_page()
    for _ in range(2):
        other.goto("about:blank")
        other.goto(link)
        expect(other.get_by_role("button", name="Undo the change")).to_be_visible()
        expect(other).to_have_url(re.compile("/account/undo-email-change$"))
    other.get_by_role("button", name="Undo the change").click()

    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(notice(other)).to_contain_text("Your email is restored")
    page.goto("/account/profile")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    _, reset = mailed(other, f"{name}@example.com", "Reset your password")
    other.goto(reset)
    other.get_by_label("New password", exact=True).fill("difference engine")
    other.get_by_role("button", name="Change password").click()
    expect(notice(other)).to_contain_text("Your password is changed")
    other.goto(link)
    other.get_by_role("button", name="Undo the change").click()
    expect(other.get_by_role("alert")).to_contain_text("expired or already used")
    other.context.close()


def test_the_pages_are_accessible_on_a_phone(page: Page, name: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    request(page, f"{name}x@example.com")
    expect(notice(page)).to_contain_text("A code is on its way")
    for path in ("profile", "change-email", "change-email#token=x", "undo-email-change#token=x"):
        page.goto("about:blank")
        page.goto(f"/account/{path}")
        for language, look in LOOKS.items():
            page.emulate_media(color_scheme=look, reduced_motion="reduce")
            page.get_by_role("button", name=language).click()
            expect(page.locator("main form, main section").first).to_be_visible()

            assert problems(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") == 360, path
