"""The addresses of the account pages: deep links, back and forward, and `return_to`."""

import subprocess

import pytest
from playwright.sync_api import Page, expect

from browser.account.steps import APP, PAGES, log_in, open_page, password, post
from browser.sign_up import PASSWORD, sign_up
from tests.operations import REGISTER
from tests.paths import ROOT
from tests.servers import Server


@pytest.mark.parametrize("path", PAGES.values())
def test_a_deep_link_leads_there_after_signing_in(
    page: Page, server: Server, name: str, path: str
) -> None:
    post(server, REGISTER, {"username": name, "email": f"{name}@x.example", "password": PASSWORD})
    page.goto(f"/account/{path}")
    log_in(page, name)
    expect(page.get_by_role("navigation")).to_be_visible()
    expect(page).to_have_url(f"{server.url}/account/{path}")
    page.reload()

    expect(page.get_by_role("navigation").locator("[aria-current=page]")).to_be_visible()
    expect(page).to_have_url(f"{server.url}/account/{path}")


def test_back_and_forward_show_the_pages_again(page: Page, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Sign-in and security")
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_focused()
    open_page(page, "Sessions")
    page.go_back()
    expect(page.get_by_role("heading", name="Sign-in and security")).to_be_visible()
    page.go_forward()

    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()


def test_signing_in_returns_to_an_application(page: Page, server: Server, name: str) -> None:
    post(server, REGISTER, {"username": name, "email": f"{name}@x.example", "password": PASSWORD})
    page.context.route(f"{APP}/**", lambda route: route.fulfill(body="The application."))
    page.goto(f"/account/login?return_to={APP}/inbox%3Fa%3Db%23c")
    expect(page.get_by_text("After signing in, you go back to app.example.")).to_be_visible()
    log_in(page, name)
    expect(page.get_by_text("The application.")).to_be_visible()
    assert page.url == f"{APP}/inbox?a=b#c"
    page.goto(f"/account/login?return_to={APP}/again")

    # They are signed in already.
    page.wait_for_url(f"{APP}/again")


def test_signing_up_returns_there_too(page: Page, name: str) -> None:
    page.context.route(f"{APP}/**", lambda route: route.fulfill(body="The application."))
    page.goto(f"/account?return_to={APP}")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    password(page).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    page.wait_for_url(f"{APP}/")


@pytest.mark.parametrize(
    "return_to",
    [
        "https://evil.example",
        "//evil.example",
        "/%5Cevil.example",
        "/%252f%252fevil.example",
        "/%09/evil.example",
        "http://app.example@evil.example",
        "http://user@app.example/",
        "http://app.example.evil.example/",
        "https://app.example/",
        "http://app.example%5C@evil.example",
        "javascript:alert(1)",
        "data:text/html,evil",
    ],
)
def test_any_other_address_leads_to_the_profile(
    page: Page, server: Server, name: str, return_to: str
) -> None:
    post(server, REGISTER, {"username": name, "email": f"{name}@x.example", "password": PASSWORD})
    page.goto(f"/account/login?return_to={return_to}")
    log_in(page, name)

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    assert page.url == f"{server.url}/account/profile"


def test_the_table_of_return_addresses() -> None:
    command = ["npm", "test", "--silent", "--workspace", "account"]
    ran = subprocess.run(command, cwd=ROOT / "web", capture_output=True, text=True, timeout=60)

    assert ran.returncode == 0, ran.stdout
    assert "# fail 0" in ran.stdout
