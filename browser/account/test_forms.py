"""The forms of the account pages: errors at their fields, the focus, and the button."""

import re

from playwright.sync_api import Page, Route, expect

from browser.account.steps import log_in, password, post
from browser.sign_up import PASSWORD
from tests.operations import REGISTER
from tests.servers import Server


def test_each_field_shows_its_error_and_the_first_has_the_focus(page: Page, name: str) -> None:
    page.goto("/account/sign-up")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill("nowhere")
    password(page).fill("password")
    page.get_by_role("button", name="Create account").click()

    email = page.get_by_label("Email")
    expect(email).to_be_focused()
    expect(email).to_have_attribute("aria-invalid", "true")
    expect(email).to_have_accessible_description(re.compile("valid email"))
    expect(password(page)).to_have_accessible_description(re.compile("too common"))
    expect(page.get_by_label("Username")).to_have_attribute("aria-invalid", "false")
    expect(page.get_by_label("Username")).to_have_value(name)


def test_an_empty_field_is_named_without_asking_the_server(page: Page) -> None:
    page.goto("/account/login")
    page.get_by_label("Username or email").fill("ada")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Sign in").click()

    expect(password(page)).to_be_focused()
    expect(password(page)).to_have_accessible_description("Fill in this field.")
    assert asked == []


def test_a_taken_username_is_named_at_its_field(page: Page, server: Server, name: str) -> None:
    taken = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    post(server, REGISTER, taken)
    page.goto("/account/sign-up")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    password(page).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_label("Username")).to_have_accessible_description(re.compile("taken"))


def test_the_same_error_is_announced_again(page: Page, name: str) -> None:
    page.goto("/account/login")
    log_in(page, name, "wrong engine")
    expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")
    held: list[Route] = []
    page.route("**/graphql", lambda route: held.append(route))
    with page.expect_request("**/graphql"):
        page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("")
    held[0].continue_()

    expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")


def test_a_password_can_be_shown(page: Page) -> None:
    page.goto("/account/login")
    expect(password(page)).to_have_attribute("type", "password")
    page.get_by_label("Show password").check()

    expect(password(page)).to_have_attribute("type", "text")


def test_a_button_is_disabled_and_keeps_the_focus_while_it_is_busy(page: Page, name: str) -> None:
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    held: list[Route] = []
    page.route("**/graphql", lambda route: held.append(route))
    with page.expect_request("**/graphql"):
        log_in(page, name)
    button = page.get_by_role("button", name="Please wait…")
    expect(button).to_be_disabled()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    held[0].continue_()

    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    assert len(held) == 1
