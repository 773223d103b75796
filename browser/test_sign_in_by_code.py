"""Signing in with a code by mail on the account pages, with the mailbox of development."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import mailbox
from browser.account.steps import log_in, notice
from browser.axe import problems
from browser.sign_up import sign_up
from tests.servers import Server


@pytest.fixture
def name(page: Page, name: str) -> str:
    """Return the name of a user who has signed up and out."""
    sign_up(page, name)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    return name


def request_code(page: Page, email: str) -> None:
    page.get_by_role("link", name="Sign in with a code sent by mail").click()
    page.get_by_label("Email").fill(email)
    page.get_by_role("button", name="Send the code").click()
    expect(notice(page)).to_contain_text(f"If an account has the email {email}, a code is on its")


def mailed(page: Page, name: str) -> tuple[str, str]:
    """Return the code and the link of the newest mail."""
    return mailbox.mailed(page, f"{name}@example.com", "sign-in code")


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()


def test_a_code_signs_in_and_leads_back(page: Page, name: str) -> None:
    page.goto("/account/login?return_to=/account/sessions")
    request_code(page, f"{name}@example.com")
    expect(page.get_by_label("Code")).to_be_focused()
    code, _ = mailed(page, name)
    enter(page, "no code")
    expect(page.get_by_role("alert").first).to_contain_text("The code or the link is wrong")
    enter(page, f"{code[:3]} {code[3:]}")

    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(page.get_by_text("This device")).to_be_visible()


def test_the_link_fills_in_the_code_in_another_tab_of_the_browser(page: Page, name: str) -> None:
    page.goto("/account/login?return_to=/account/sessions")
    request_code(page, f"{name}@example.com")
    code, link = mailed(page, name)
    tab = page.context.new_page()
    tab.goto(link)

    expect(tab.get_by_label("Code")).to_have_value(code)
    expect(tab).to_have_url(re.compile(r"/login-by-code\?return_to=/account/sessions$"))
    tab.get_by_role("button", name="Sign in").click()
    expect(tab.get_by_role("heading", name="Sessions")).to_be_visible()
    # The first tab follows.
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()


def test_a_link_opened_elsewhere_uses_nothing_and_says_where_it_works(
    page: Page, browser: Browser, server: Server, name: str
) -> None:
    request_code(page, f"{name}@example.com")
    code, link = mailed(page, name)
    # A program that checks mail runs scripts, too.
    scanner = browser.new_page(base_url=server.url, locale="en-GB")
    sent: list[str] = []
    scanner.on("request", lambda request: sent.append(request.post_data or ""))
    scanner.goto(link)

    expect(scanner.get_by_text("only in the browser that requested the code")).to_be_visible()
    assert not any("SignInByMail" in body or code in body for body in sent)
    scanner.close()
    enter(page, code)
    expect(page.get_by_label("Username")).to_have_value(name)


def test_who_has_no_password_any_more_can_set_one(page: Page, name: str) -> None:
    request_code(page, f"{name}@example.com")
    enter(page, mailed(page, name)[0])
    expect(page.get_by_role("heading", name="You have no password")).to_be_visible()
    page.get_by_role("link", name="Set a password").click()
    expect(page.get_by_role("heading", name="Password", exact=True)).to_be_visible()
    page.get_by_label("New password", exact=True).fill("difference engine")
    page.get_by_role("button", name="Set password").click()
    expect(notice(page)).to_contain_text("Your password is set.")
    page.get_by_role("button", name="Sign out").click()
    log_in(page, name, "difference engine")

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(page.get_by_role("heading", name="You have no password")).to_have_count(0)


@pytest.mark.parametrize("language", ["English", "Deutsch"])
def test_the_pages_are_accessible(page: Page, name: str, language: str) -> None:
    request_code(page, f"{name}@example.com")
    page.get_by_role("button", name=language).click()
    assert problems(page) == []
    page.get_by_role("button", name=re.compile("Use another email|Andere E-Mail")).click()
    expect(page.get_by_label("E-Mail" if language == "Deutsch" else "Email")).to_be_visible()
    assert problems(page) == []
