"""Registration with the proof of the email first, with the mailbox of development."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import mailbox
from browser.account.steps import notice
from browser.axe import problems
from browser.sign_up import PASSWORD
from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.operations import LOGIN
from tests.servers import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("registration")
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    variables = {"DATA_KEY": DATA_KEY, "REQUIRE_VERIFIED_EMAIL": "true"}
    with running_server(url, SECRET_KEY, folder, **variables) as server:
        yield server


def start(page: Page, name: str, email: str | None = None, query: str = "") -> None:
    """Take the first step."""
    page.goto(f"/account/sign-up{query}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(email or f"{name}@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Code")).to_be_focused()


def mailed(page: Page, name: str) -> tuple[str, str]:
    """Return the code and the link of the newest mail."""
    return mailbox.mailed(page, f"{name}@example.com", "Your Gatehouse registration code")


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Create account").click()


def sign_up(page: Page, name: str) -> None:
    start(page, name)
    enter(page, mailed(page, name)[0])
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def stored(page: Page) -> str:
    return str(page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])"))


def exists(page: Page, name: str) -> bool:
    login = {"query": LOGIN, "variables": {"username": name, "password": PASSWORD}}
    answer = page.request.post("/graphql", data=login).json()
    return "errors" not in answer


def test_the_code_of_the_mail_creates_the_account(page: Page, name: str) -> None:
    start(page, name)
    expect(notice(page)).to_contain_text(f"A mail is on its way to {name}@example.com.")
    expect(notice(page)).to_contain_text("10 minutes")
    code, _ = mailed(page, name)
    # It survives that the page is loaded again, without anything that would be worth stealing.
    page.reload()
    assert not any(secret in stored(page) for secret in (PASSWORD, code))
    enter(page, f"{(int(code) + 1) % 10**6:06}")
    expect(page.get_by_role("alert")).to_contain_text("The code or the link is wrong")
    assert not exists(page, name)
    enter(page, f"{code[:3]} {code[3:]}")

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(page.get_by_text("Verified.", exact=True)).to_be_visible()
    assert f"{name}@example.com" not in stored(page)
    assert exists(page, name)


def test_another_username_can_be_chosen_with_the_same_code(page: Page, name: str) -> None:
    sign_up(page, name)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    start(page, name.upper(), f"second-{name}@example.com")
    enter(page, mailed(page, f"second-{name}")[0])
    expect(page.get_by_text("is already taken")).to_be_visible()
    expect(page.get_by_label("Username")).to_be_focused()
    page.get_by_label("Username").fill(f"{name}-two")
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_value(f"{name}-two")


def test_the_link_fills_in_the_code_and_only_a_press_creates_the_account(
    page: Page, browser: Browser, server: Server, name: str
) -> None:
    start(page, name, query="?return_to=/account/sessions")
    code, link = mailed(page, name)
    # Programs that check mail open links, and some run scripts.
    page.request.get(link)
    page.request.head(link)
    scanner = browser.new_page(base_url=server.url, locale="en-GB")
    scanner.goto(link)
    expect(scanner.get_by_text("you began in another browser")).to_be_visible()
    scanner.close()
    tab = page.context.new_page()
    tab.goto(link)
    expect(tab.get_by_label("Code")).to_have_value(code)
    expect(tab).to_have_url(re.compile(r"/account/sign-up\?return_to=/account/sessions$"))
    assert not exists(page, name)
    tab.get_by_role("button", name="Create account").click()

    expect(tab.get_by_role("heading", name="Sessions")).to_be_visible()
    # The tab where it began follows.
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()


def test_an_email_that_is_taken_reads_the_same_and_its_owner_is_told(page: Page, name: str) -> None:
    sign_up(page, name)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    start(page, f"{name}-two", f"{name}@example.com")
    expect(notice(page)).to_contain_text(f"A mail is on its way to {name}@example.com.")
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_label("Email")).to_have_value("")

    page.goto("/mailbox")
    newest = page.get_by_role("listitem").filter(has_text=f"{name}@example.com").first
    expect(newest.get_by_role("link", name="You already have an account")).to_be_visible()


def test_the_explorer_says_what_to_do(page: Page, name: str) -> None:
    page.goto("/graphql")
    form = page.get_by_role("region", name="Account").locator("form")
    form.get_by_label("Username").fill(name)
    form.get_by_label("Email").fill(f"{name}@example.com")
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button", name="Sign up").click()

    expect(form.get_by_text("Use startRegistration")).to_be_visible()


class TestLooks:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 360, "height": 740}, "reduced_motion": "reduce"}

    @pytest.mark.parametrize("language", ["English", "Deutsch"])
    def test_both_steps_fit_a_phone_and_axe_finds_nothing(
        self, page: Page, name: str, language: str
    ) -> None:
        start(page, name)
        page.get_by_role("button", name=language).click()
        for next_button in ("Start again|Neu beginnen", "Continue|Weiter"):
            button = page.get_by_role("button", name=re.compile(next_button))
            expect(button).to_be_visible()

            assert problems(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            button.click()
