"""Verifying an email on the account pages, with the mailbox of development."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import mailbox
from browser.account.steps import notice
from browser.axe import problems
from browser.sign_up import PASSWORD, sign_out, sign_up
from tests.servers import Server


@pytest.fixture
def name(page: Page, name: str) -> str:
    """Return the name of a user who has signed up in this browser."""
    sign_up(page, name)
    return name


def mailed(page: Page, name: str) -> tuple[str, str]:
    """Return the code and the link of the newest mail."""
    return mailbox.mailed(page, f"{name}@example.com", "Confirm your email address")


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Verify email").click()


def test_the_code_of_the_registration_verifies(page: Page, name: str) -> None:
    code, _ = mailed(page, name)
    expect(page.get_by_role("heading", name="Your email is not verified")).to_be_visible()

    enter(page, f"{code[:3]} {code[3:]}")

    expect(notice(page)).to_have_text("Your email is verified.")
    expect(page.get_by_text("Verified.", exact=True)).to_be_visible()
    expect(page.get_by_label("Code")).to_be_hidden()


def test_a_wrong_code_is_explained_and_a_new_one_works(page: Page, name: str) -> None:
    old, _ = mailed(page, name)
    page.get_by_role("button", name="Send a new code").click()
    expect(notice(page)).to_contain_text(f"A code is on its way to {name}@example.com.")
    new, _ = mailed(page, name)

    enter(page, old)
    expect(page.get_by_text("The code or the link is wrong")).to_be_visible()
    enter(page, new)

    expect(notice(page)).to_have_text("Your email is verified.")


def test_the_link_verifies_when_its_button_is_pressed(page: Page, name: str) -> None:
    _, link = mailed(page, name)
    for _ in range(2):
        page.goto("about:blank")
        page.goto(link)
        expect(page.get_by_text(f"the email of the account {name}")).to_be_visible()
        expect(page).to_have_url(re.compile("/account/verify-email$"))
    page.get_by_role("button", name="Verify email").click()

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(notice(page)).to_have_text("Your email is verified.")


def test_in_another_browser_the_link_leads_to_the_sign_in_and_back(
    page: Page, browser: Browser, server: Server, name: str
) -> None:
    _, link = mailed(page, name)
    requested: list[str] = []
    context = browser.new_context(base_url=server.url, locale="en-GB")
    other = context.new_page()
    other.on("request", lambda request: requested.append(f"{request.url} {request.headers}"))
    other.goto(link)
    other.get_by_label("Username or email").fill(name)
    other.get_by_label("Password", exact=True).fill(PASSWORD)
    other.get_by_role("button", name="Sign in").click()
    token = link.partition("#token=")[2]
    # Playwright adds the fragment, which no browser sends.
    sent = [line.replace(f"#token={token}", "") for line in requested]
    other.get_by_role("button", name="Verify email").click()

    expect(notice(other)).to_have_text("Your email is verified.")
    assert not any(token in line for line in sent)
    context.close()


def test_the_page_says_so_if_the_link_is_for_another_account(page: Page, name: str) -> None:
    _, link = mailed(page, name)
    sign_out(page)
    page.goto("/account/sign-up")
    page.get_by_label("Username").fill(f"{name}2")
    page.get_by_label("Email").fill(f"{name}2@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    page.goto(link)
    page.get_by_role("button", name="Verify email").click()

    expect(page.get_by_text("for another account")).to_be_visible()


def test_it_comes_before_a_second_factor(page: Page, name: str) -> None:
    code, _ = mailed(page, name)
    page.get_by_role("link", name="Sign-in and security").click()
    expect(page.get_by_text("Verify your email first")).to_be_visible()
    page.get_by_role("link", name="Set up an authenticator app").click()
    enter(page, code)

    expect(page.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()


@pytest.mark.parametrize("where", ["profile", "verify-email", "verify-email#token=x"])
@pytest.mark.parametrize("language", ["English", "Deutsch"])
def test_the_pages_are_accessible(page: Page, name: str, where: str, language: str) -> None:
    page.goto("about:blank")
    page.goto(f"/account/{where}")
    page.get_by_role("button", name=language).click()
    expect(
        page.get_by_role("button", name=re.compile("Verify email|E-Mail bestätigen"))
    ).to_be_visible()

    assert problems(page) == []
