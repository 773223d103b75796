"""The account pages of a server that requires a second factor."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pyotp import TOTP

from browser.account.factors.authenticators import Authenticator
from browser.account.factors.servers import localhost_server
from browser.account.factors.steps import (
    begin_sign_in,
    enter_code,
    let_codes_pass,
    secret,
    sign_out,
)
from browser.account.steps import APP, notice, open_page, password
from browser.sign_up import PASSWORD
from tests.servers import Server

SET_UP = "Set up an authenticator app"


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {
        "ENVIRONMENT": "production",
        "CORS_ORIGINS": APP,
        "REQUIRE_SECOND_FACTOR": "all",
    }
    with localhost_server(database_url, tmp_path_factory.mktemp("required"), **settings) as server:
        yield server


def sign_up(page: Page, name: str, query: str = "") -> None:
    page.goto(f"/account/sign-up{query}")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    password(page).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name=SET_UP)).to_be_visible()


def turn_on(page: Page) -> str:
    shown = secret(page)
    enter_code(page, TOTP(shown).now(), "Turn on")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("button", name="I have saved the codes").click()
    return shown


def test_a_new_user_sets_one_up_first_and_then_goes_on(page: Page, name: str) -> None:
    page.context.route(f"{APP}/**", lambda route: route.fulfill(body="The application."))
    sign_up(page, name, f"?return_to={APP}/inbox")
    expect(notice(page)).to_contain_text("This server requires a second factor.")
    expect(page.get_by_text("without one, you can do nothing else")).to_be_visible()
    turn_on(page)

    page.wait_for_url(f"{APP}/inbox")
    page.goto("/account/profile")
    page.get_by_label("Username").fill(f"{name}2")
    page.get_by_role("button", name="Save changes").click()
    expect(notice(page)).to_have_text("Your changes are saved.")


def test_every_other_page_leads_to_the_set_up_and_back(page: Page, name: str) -> None:
    sign_up(page, name)
    for path in ("profile", "events"):
        page.goto(f"/account/{path}")
        expect(page.get_by_role("heading", name=SET_UP)).to_be_visible()
    turn_on(page)

    expect(page.get_by_role("heading", name="Security events")).to_be_visible()


def test_a_sign_in_with_both_factors_sets_up_nothing(
    page: Page, database_url: str, name: str
) -> None:
    sign_up(page, name)
    shown = turn_on(page)
    let_codes_pass(database_url)
    sign_out(page)
    begin_sign_in(page, name)
    enter_code(page, TOTP(shown).now())

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_a_passkey_takes_the_place_of_an_app(page: Page, device: Authenticator, name: str) -> None:
    sign_up(page, name, "?return_to=/account/sessions")
    page.get_by_role("button", name="Add a passkey").click()

    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    open_page(page, "Profile")
