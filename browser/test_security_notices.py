"""The link in a security notice on the account pages, with the mailbox of development."""

import itertools
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.sign_up import sign_up
from tests.conftest import SECRET_KEY
from tests.servers import Server, running_server

DATA_KEY = "a data key for tests, and for nothing else but tests"

numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("notices")
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder, DATA_KEY=DATA_KEY) as server:
        yield server


def change_password(page: Page) -> None:
    page.goto("/account/password")
    page.get_by_label("New password", exact=True).fill("difference engine")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("main > .notice[role=status]")).to_contain_text("Your password is changed.")


def link_in(page: Page, subject: str) -> str:
    page.goto("/mailbox")
    page.get_by_role("link", name=subject).first.click()
    link = page.locator("pre a").first.get_attribute("href")
    assert link
    return str(link)


def test_the_link_secures_the_account_when_its_button_is_pressed(
    page: Page, browser: Browser
) -> None:
    sign_up(page, f"ada{next(numbers)}x")
    change_password(page)
    link = link_in(page, "Your password was changed")
    # A program that checks mail runs scripts, too.
    scanner = browser.new_page()
    scanner.goto(link)
    expect(scanner.get_by_role("button", name="Sign out everywhere")).to_be_visible()
    scanner.close()
    page.goto("/account/profile")
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()

    page.goto(link)
    expect(page.get_by_role("heading", name="Secure your account")).to_be_visible()
    expect(page).to_have_url(re.compile("/account/secure-account$"))
    page.get_by_role("button", name="Sign out everywhere").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("main > .notice[role=status]")).to_contain_text(
        "You are signed out everywhere"
    )
    assert "/account/reset-password#token=" in link_in(page, "Reset your password")
    page.goto(link)
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("alert")).to_contain_text("expired or already used")


def test_mails_are_in_the_chosen_language(page: Page) -> None:
    sign_up(page, f"ada{next(numbers)}x")
    page.get_by_label("Language of mails").select_option("Deutsch")
    page.get_by_role("button", name="Save changes").click()
    expect(page.locator("main > .notice[role=status]")).to_have_text("Your changes are saved.")
    change_password(page)

    assert link_in(page, "Ihr Passwort wurde geändert")
