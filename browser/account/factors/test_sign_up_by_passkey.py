"""Signing up with a passkey in place of a password, with the mailbox of development."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from browser import mailbox
from browser.account.factors.authenticators import Authenticator
from browser.account.factors.servers import localhost_server
from browser.account.factors.steps import let_proofs_pass, sign_out
from browser.account.steps import APP, log_in, notice, open_page, password
from browser.axe import problems
from tests.servers import Server


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sign_up")
    settings = {"REQUIRE_VERIFIED_EMAIL": "true", "CORS_ORIGINS": APP}
    with localhost_server(database_url, folder, **settings) as server:
        yield server


def start(page: Page, name: str, query: str = "") -> None:
    page.goto(f"/account/sign-up{query}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Use a passkey instead of a password").check()
    expect(password(page)).to_have_count(0)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_label("Code")).to_be_visible()


def finish(page: Page, name: str) -> None:
    code, _ = mailbox.mailed(page, f"{name}@example.com", "registration code")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Create account").click()


def test_an_account_is_made_with_a_passkey_alone(
    page: Page, device: Authenticator, name: str
) -> None:
    page.context.route(f"{APP}/**", lambda route: route.fulfill(body="The application."))
    start(page, name, f"?return_to={APP}/inbox")
    finish(page, name)
    page.wait_for_url(f"{APP}/inbox")
    page.goto("/account/security")
    expect(page.get_by_text("Your account has no password.")).to_be_visible()
    expect(page.locator("main li")).to_contain_text("Firefox on Linux")
    device.answers(False)
    sign_out(page)
    device.answers(True)
    page.reload()

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(page.get_by_text("You have no password")).to_have_count(0)


def test_the_last_passkey_of_such_an_account_stays(
    page: Page, device: Authenticator, name: str
) -> None:
    start(page, name)
    finish(page, name)
    expect(notice(page)).to_have_text("Your passkey is added.")
    open_page(page, "Sign-in and security")
    page.get_by_role("button", name="Remove Firefox on Linux").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()

    expect(page.get_by_text("You could not sign in any more.")).to_be_visible()
    expect(page.locator("main li")).to_have_count(1)


def test_without_a_passkey_the_account_exists_and_it_can_be_tried_again(
    page: Page, device: Authenticator, name: str
) -> None:
    device.verifies(False)
    start(page, name)
    # The second step is kept for a reload, and with it what takes the place of the password.
    page.reload()
    finish(page, name)
    expect(page.get_by_text("Your account exists, but it has no passkey yet.")).to_be_visible()
    assert problems(page) == []
    device.verifies(True)
    page.get_by_role("button", name="Create the passkey").click()

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(notice(page)).to_have_text("Your passkey is added.")


def test_who_has_nothing_to_prove_with_signs_in_again_and_comes_back(
    page: Page, device: Authenticator, database_url: str, name: str
) -> None:
    device.verifies(False)
    start(page, name)
    finish(page, name)
    expect(page.get_by_text("it has no passkey yet")).to_be_visible()
    let_proofs_pass(database_url)
    page.goto("/account/password")
    password(page, "New password").fill("difference engine")
    page.get_by_role("button", name="Set password").click()
    dialog = page.get_by_role("dialog", name="Confirm that it is you")
    expect(dialog).to_contain_text("You come back to this page.")
    assert problems(page) == []
    dialog.get_by_role("button", name="Sign in again").click()
    page.get_by_role("link", name="Sign in with a code sent by mail").click()
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_role("button", name="Send the code").click()
    expect(page.get_by_label("Code")).to_be_visible()
    code, _ = mailbox.mailed(page, f"{name}@example.com", "sign-in code")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    password(page, "New password").fill("difference engine")
    page.get_by_role("button", name="Set password").click()

    expect(notice(page)).to_contain_text("Your password is set.")


def test_without_a_passkey_a_password_can_be_set(
    page: Page, device: Authenticator, name: str
) -> None:
    device.verifies(False)
    start(page, name)
    finish(page, name)
    page.get_by_role("link", name="Set a password").click()
    password(page, "New password").fill("difference engine")
    page.get_by_role("button", name="Set password").click()
    expect(notice(page)).to_contain_text("Your password is set.")
    sign_out(page)
    log_in(page, name, "difference engine")

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
