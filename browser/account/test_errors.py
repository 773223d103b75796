"""What the account pages say when the server cannot answer or knows no such page."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.account.steps import log_in
from tests.conftest import SECRET_KEY
from tests.servers import running_server


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"code": "TOO_MANY_ATTEMPTS", "retryAfter": 9}, "Too many attempts. Try again in 9 sec"),
        ({"code": "TOO_MANY_ATTEMPTS", "retryAfter": 3000}, "Try again in 50 minutes."),
        ({"code": "OVERLOADED"}, "The server is busy."),
        ({"code": "UNAVAILABLE"}, "The server cannot answer at the moment."),
        ({"code": "INTERNAL_ERROR", "requestId": "abc123"}, "Reference: abc123"),
        # As of a hook that refuses a registration.
        ({"code": "INVALID_INPUT"}, re.compile(r"^An error\.$")),
        ({"code": "SOMETHING_NEW"}, "Something went wrong."),
    ],
)
def test_an_error_of_the_server_has_a_message(
    page: Page, error: dict[str, Any], message: str | re.Pattern[str]
) -> None:
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    answer = {"errors": [{"message": "An error.", "extensions": error}]}
    page.route("**/graphql", lambda route: route.fulfill(json=answer))
    log_in(page, "ada")

    expect(page.get_by_role("alert")).to_contain_text(message)


def test_a_server_that_is_not_reached_has_one_too(unchecked_page: Page) -> None:
    page = unchecked_page
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    page.route("**/graphql", lambda route: route.abort())
    log_in(page, "ada")

    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    expect(page.get_by_label("Username or email")).to_have_value("ada")


def test_a_start_without_a_server_can_be_tried_again(unchecked_page: Page) -> None:
    page = unchecked_page
    page.route("**/graphql", lambda route: route.abort())
    page.goto("/account/profile")
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    page.unroute("**/graphql")
    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_production_without_its_address_says_what_is_missing(
    browser: Browser, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, tmp_path, ENVIRONMENT="production") as server:
        context = browser.new_context(base_url=server.url, locale="en-GB")
        page = context.new_page()
        page.goto("/account")
        expect(page.get_by_role("alert")).to_contain_text("it is neither PUBLIC_URL's nor in CORS")
        context.close()


def test_an_unknown_page_says_so(unchecked_page: Page) -> None:
    response = unchecked_page.goto("/account/nowhere")
    expect(unchecked_page.get_by_role("heading", name="Page not found")).to_be_visible()
    unchecked_page.get_by_role("link", name="Go to your account").click()

    assert response
    assert response.status == 404
    expect(unchecked_page.get_by_role("heading", name="Sign in")).to_be_visible()
