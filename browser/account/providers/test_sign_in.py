"""Signing up and in with a provider, from the account pages."""

import re

from playwright.sync_api import Page, expect

from browser.account.factors.steps import enter_code, set_up_app, sign_out
from browser.account.providers.steps import (
    leave,
    link,
    linked,
    log_in_there,
    username,
)
from browser.account.steps import APP, log_in, notice, post
from browser.sign_up import PASSWORD, sign_up
from tests.operations import REGISTER
from tests.servers import Server


def profile(page: Page) -> None:
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def alert(page: Page) -> str:
    shown: str = page.get_by_role("alert").filter(has_text=re.compile(r"\w")).inner_text()
    return shown


def register(server: Server, name: str) -> None:
    """Register someone in another browser."""
    email = f"{name}@example.com"
    post(server, REGISTER, {"username": name, "email": email, "password": PASSWORD})


def test_a_new_user_takes_the_suggested_username_and_later_needs_none(
    page: Page, name: str
) -> None:
    page.goto("/account/login")
    page.get_by_role("button", name="Continue with Work").focus()
    page.keyboard.press("Enter")
    log_in_there(page, name)
    expect(page.get_by_role("heading", name="Finish the sign-in")).to_be_visible()
    expect(username(page)).to_have_value(name)
    expect(username(page)).to_be_focused()
    assert page.url.endswith("/account/finish-sign-in")
    page.keyboard.press("Enter")
    profile(page)
    assert page.evaluate("sessionStorage.length") == 0
    expect(page.get_by_text("You have no password")).to_have_count(0)
    sign_out(page)
    page.get_by_role("button", name="Continue with Work").click()

    profile(page)
    assert page.evaluate("sessionStorage.length") == 0


def test_a_username_that_cannot_be_used_says_so_at_the_field(
    page: Page, server: Server, name: str
) -> None:
    register(server, name)
    page.goto("/account/sign-up")
    leave(page)
    log_in_there(page, name, f"{name}@example.org")
    expect(username(page)).to_have_value(name)
    page.get_by_role("button", name="Create account").click()
    expect(username(page)).to_have_accessible_description(re.compile("already taken"))
    username(page).fill("?")
    page.get_by_role("button", name="Create account").click()
    expect(username(page)).to_have_accessible_description(re.compile("3 to 32 characters"))
    username(page).fill(f"{name}-2")
    page.get_by_role("button", name="Create account").click()

    profile(page)
    expect(username(page)).to_have_value(f"{name}-2")


def test_a_reload_goes_on_and_a_code_is_not_used_again(page: Page, name: str) -> None:
    page.goto("/account/login")
    leave(page)
    log_in_there(page, name)
    expect(username(page)).to_have_value(name)
    page.reload()
    expect(username(page)).to_have_value(name)
    page.get_by_role("button", name="Create account").click()
    profile(page)
    page.reload()
    profile(page)
    page.goto("/account/finish-sign-in")

    profile(page)


def test_another_way_forgets_the_code(page: Page, name: str) -> None:
    page.goto("/account/login")
    leave(page)
    log_in_there(page, name)
    page.get_by_role("button", name="Sign in another way").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
    page.goto("/account/finish-sign-in")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_address_to_return_to_stays_on_the_way(page: Page, name: str) -> None:
    page.context.route(f"{APP}/**", lambda route: route.fulfill(body="The application."))
    page.goto(f"/account/login?return_to={APP}/inbox")
    leave(page)
    log_in_there(page, name)
    expect(page.get_by_text("After signing in, you go back to app.example.")).to_be_visible()
    page.get_by_role("button", name="Create account").click()

    page.wait_for_url(f"{APP}/inbox")


def test_a_user_who_cancels_comes_back_to_where_they_began(page: Page, name: str) -> None:
    page.goto("/account/sign-up?return_to=/account/sessions")
    leave(page)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", name="Create an account")).to_be_visible()
    assert alert(page) == "You cancelled the sign-in with Work."
    assert page.url.endswith("/account/sign-up?return_to=/account/sessions")
    assert page.evaluate("sessionStorage.length") == 0
    page.get_by_role("link", name="Sign in").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_text("You cancelled")).to_have_count(0)


def test_an_email_that_is_taken_and_not_verified_can_be_linked(page: Page, name: str) -> None:
    sign_up(page, name)
    sign_out(page)
    leave(page)
    log_in_there(page, f"{name}-there", f"{name}@example.com", verified=False)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert alert(page).startswith("An account here already has the email of Work. Sign in to it,")
    log_in(page, name)
    profile(page)
    page.get_by_role("link", name="Sign-in and security").click()
    page.get_by_role("button", name="Link Work", exact=True).click()
    expect(linked(page)).to_contain_text(f"{name}@example.com")
    sign_out(page)
    page.get_by_role("button", name="Continue with Work").click()

    profile(page)
    expect(username(page)).to_have_value(name)


def test_the_second_factor_follows(page: Page, database_url: str, name: str) -> None:
    sign_up(page, name)
    app = set_up_app(page, database_url)
    link(page, f"{name}-there")
    expect(notice(page)).to_contain_text("The account is linked.")
    sign_out(page)
    page.goto("/account/login?return_to=/account/sessions")
    page.get_by_role("button", name="Continue with Work").click()
    expect(page.get_by_role("heading", name="Second step of the sign-in")).to_be_visible()
    enter_code(page, app.code())

    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_code_of_someone_else_signs_no_one_in(page: Page) -> None:
    page.goto("/account/finish-sign-in?code=of-an-attacker")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    assert "began elsewhere. Begin again." in alert(page)
    assert page.url.endswith("/account/login")


def test_an_error_of_the_server_is_a_sentence_and_leaves_the_address(page: Page) -> None:
    page.goto("/sign-in/nowhere")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    assert alert(page) == "This server no longer has this way to sign in. Choose another one."
    assert page.url.endswith("/account/login")


def test_a_sign_in_elsewhere_is_not_disturbed(page: Page, name: str) -> None:
    """Another tab has signed in while this one was at the provider."""
    page.goto("/account/login")
    leave(page)
    other = page.context.new_page()
    sign_up(other, name)
    log_in_there(page, f"{name}-there")

    profile(page)
    expect(username(page)).to_have_value(name)
    assert page.evaluate("sessionStorage.length") == 0
