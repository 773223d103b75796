"""Signing up, signing in and signing out on the account pages."""

import re

from playwright.sync_api import Page, expect

from browser.account.steps import log_in, notice, password
from browser.sign_up import sign_up


def test_sign_up_reload_sign_out_and_log_in_again(page: Page, name: str) -> None:
    sign_up(page, name)
    page.reload()
    expect(page.get_by_label("Username")).to_have_value(name)
    with page.expect_response("**/graphql"):
        page.get_by_role("button", name="Sign out").click()
    expect(notice(page)).to_have_text("You are signed out.")
    expect(page).to_have_url(re.compile("/account/login$"))
    log_in(page, f"{name}@example.com")

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(page).to_have_title("Profile · Gatehouse")


def test_a_server_without_providers_has_no_buttons_for_them(page: Page, name: str) -> None:
    for path in ("login", "sign-up"):
        page.goto(f"/account/{path}")
        expect(password(page)).to_be_visible()
        expect(page.get_by_role("group", name="Other ways to sign in")).to_have_count(0)
    sign_up(page, name)
    page.goto("/account/security")

    expect(page.get_by_role("heading", name="Passkeys")).to_be_visible()
    expect(page.get_by_role("heading", name="Linked accounts")).to_have_count(0)


def test_no_script_can_read_a_token(page: Page, name: str) -> None:
    sign_up(page, name)
    stored = page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    [cookie] = page.context.cookies()

    assert stored == '[{},{},""]'
    assert (cookie["name"], cookie["httpOnly"]) == ("gatehouse", True)


def test_a_wrong_password_shows_an_error_and_keeps_the_input(page: Page, name: str) -> None:
    page.goto("/account/login")
    log_in(page, name, "wrong engine")

    expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
    expect(page.get_by_label("Username or email")).to_have_value(name)
    expect(password(page)).to_have_value("wrong engine")
