"""The account pages in a browser, used as their users do, on SQLite and on PostgreSQL."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.conftest import SECRET_KEY
from tests.operations import LOGIN, LOGOUT_EVERYWHERE, REGISTER
from tests.paths import ROOT
from tests.servers import Server, running_server

AXE = (ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js").read_text()
PASSWORD = "analytical engine"
APP = "http://app.example"
PAGES = {
    "Profile": "profile",
    "Password": "password",
    "Sessions": "sessions",
    "Security events": "events",
    "Delete account": "delete",
}

# What the devices of the examples call themselves.
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)

numbers = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("account")
    settings = {"CORS_ORIGINS": APP, "TRUSTED_PROXIES": "127.0.0.1"}
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder, **settings) as server:
        yield server


@pytest.fixture
def page_options() -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 800}, "user_agent": FIREFOX}


@pytest.fixture
def name() -> str:
    return f"ada{next(numbers)}x"


@pytest.fixture
def unchecked_page(browser: Browser, server: Server) -> Iterator[Page]:
    """Yield a page whose console may have errors, which Chromium writes for failed requests."""
    context = browser.new_context(base_url=server.url, locale="en-GB")
    yield context.new_page()
    context.close()


def sign_up(page: Page, name: str) -> None:
    page.goto("/account/sign-up")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    password(page).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value(f"{name}@example.com")


def log_in(page: Page, name: str, secret: str = PASSWORD) -> None:
    page.get_by_label("Username or email").fill(name)
    password(page).fill(secret)
    page.get_by_role("button", name="Sign in").click()


def password(page: Page, label: str = "Password") -> Any:
    return page.get_by_label(label, exact=True)


def open_page(page: Page, title: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_text("Loading…")).to_be_hidden()


def notice(page: Page) -> Any:
    return page.locator("main > [role=status]")


def post(server: Server, query: str, variables: dict[str, Any], **headers: str) -> Any:
    body = {"query": query, "variables": variables}
    response = httpx.post(f"{server.url}/graphql", json=body, headers=headers).json()
    assert "errors" not in response, response
    return response["data"]


def log_in_elsewhere(
    server: Server, name: str, user_agent: str = SAFARI, ip: str = "203.0.113.20"
) -> str:
    headers = {"User-Agent": user_agent, "X-Forwarded-For": ip}
    data = post(server, LOGIN, {"username": name, "password": PASSWORD}, **headers)
    token: str = data["login"]["accessToken"]
    return token


# ---- Sign up, log in, sign out ----


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
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("")
    held[0].continue_()

    expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")


def test_a_password_can_be_shown(page: Page) -> None:
    page.goto("/account/login")
    expect(password(page)).to_have_attribute("type", "password")
    page.get_by_label("Show password").check()

    expect(password(page)).to_have_attribute("type", "text")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"code": "TOO_MANY_ATTEMPTS", "retryAfter": 9}, "Too many attempts. Try again in 9 sec"),
        ({"code": "TOO_MANY_ATTEMPTS", "retryAfter": 3000}, "Try again in 50 minutes."),
        ({"code": "OVERLOADED"}, "The server is busy."),
        ({"code": "UNAVAILABLE"}, "The server cannot answer at the moment."),
        ({"code": "INTERNAL_ERROR", "requestId": "abc123"}, "Reference: abc123"),
        ({"code": "SOMETHING_NEW"}, "Something went wrong."),
    ],
)
def test_an_error_of_the_server_has_a_message(
    page: Page, error: dict[str, Any], message: str
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


def test_a_button_is_disabled_and_keeps_the_focus_while_it_is_busy(page: Page) -> None:
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    held: list[Route] = []
    page.route("**/graphql", lambda route: held.append(route))
    log_in(page, "ada")
    button = page.get_by_role("button", name="Please wait…")
    expect(button).to_be_disabled()
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    held[0].continue_()

    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    assert len(held) == 1


# ---- Profile, password, deletion ----


def test_the_profile_changes(page: Page, name: str) -> None:
    sign_up(page, name)
    page.get_by_label("Username").fill(f"{name}2")
    page.get_by_label("Picture address").fill("https://example.com/ada.png")
    page.get_by_role("button", name="Save changes").click()
    expect(notice(page)).to_have_text("Your changes are saved.")
    expect(page.get_by_label(f"Signed in as {name}2")).to_be_visible()
    page.reload()

    expect(page.get_by_label("Username")).to_have_value(f"{name}2")
    expect(page.get_by_label("Picture address")).to_have_value("https://example.com/ada.png")


def test_a_new_email_needs_the_password(page: Page, name: str) -> None:
    sign_up(page, name)
    expect(password(page, "Current password")).to_be_hidden()
    page.get_by_label("Email").fill(f"{name}@example.org")
    password(page, "Current password").fill("wrong engine")
    page.get_by_role("button", name="Save changes").click()
    expect(password(page, "Current password")).to_be_focused()
    expect(password(page, "Current password")).to_have_accessible_description(re.compile("wrong"))
    password(page, "Current password").fill(PASSWORD)
    page.get_by_role("button", name="Save changes").click()

    expect(notice(page)).to_have_text("Your changes are saved.")
    expect(page.get_by_label("Email")).to_have_value(f"{name}@example.org")
    expect(password(page, "Current password")).to_be_hidden()


def test_nothing_is_sent_when_nothing_has_changed(page: Page, name: str) -> None:
    sign_up(page, name)
    page.get_by_role("button", name="Save changes").click()

    expect(notice(page)).to_have_text("There is nothing to save.")


def test_a_new_password_ends_the_other_sessions(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    log_in_elsewhere(server, name)
    open_page(page, "Password")
    password(page, "Current password").fill(PASSWORD)
    password(page, "New password").fill("difference engine")
    page.get_by_role("button", name="Change password").click()
    expect(notice(page)).to_have_text(re.compile("Your password is changed."))
    expect(password(page, "New password")).to_have_value("")
    open_page(page, "Sessions")
    expect(page.get_by_text("You are signed in nowhere else.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    log_in(page, name, "difference engine")

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_an_account_is_deleted_with_its_password(page: Page, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Delete account")
    password(page, "Current password").fill("wrong engine")
    page.get_by_role("button", name="Delete my account").click()
    expect(password(page, "Current password")).to_have_accessible_description(re.compile("wrong"))
    password(page, "Current password").fill(PASSWORD)
    page.get_by_role("button", name="Delete my account").click()
    expect(notice(page)).to_have_text("Your account is deleted.")
    log_in(page, name)

    expect(page.get_by_role("alert")).to_have_text("The username or the password is wrong.")


# ---- Sessions and events ----


def test_sessions_show_device_place_and_time_and_can_be_ended(
    page: Page, server: Server, name: str
) -> None:
    sign_up(page, name)
    phone = log_in_elsewhere(server, name, SAFARI, "203.0.113.20")
    log_in_elsewhere(server, name, EDGE, "198.51.100.7")
    log_in_elsewhere(server, name, FIREFOX, "198.51.100.8")
    open_page(page, "Sessions")
    rows = page.locator("main li")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("Firefox on Linux This device")
    row = rows.filter(has_text="203.0.113.20")
    expect(row).to_contain_text("Mobile Safari on iOS")
    expect(row).to_contain_text("Last used now")
    page.get_by_role("button", name="End session: Mobile Safari on iOS, 203.0.113.20").click()
    expect(notice(page)).to_have_text("The session has ended.")
    expect(rows).to_have_count(3)
    expect(page.get_by_role("heading", name="Sessions")).to_be_focused()
    me = httpx.post(
        f"{server.url}/graphql",
        json={"query": "{ me { id } }"},
        headers={"Authorization": f"Bearer {phone}"},
    ).json()
    assert me["data"] == {"me": None}
    page.get_by_role("button", name="End all other sessions").click()

    expect(notice(page)).to_have_text("2 other sessions have ended.")
    expect(rows).to_have_count(1)


def test_a_session_that_is_ended_elsewhere_asks_to_sign_in_and_comes_back(
    page: Page, server: Server, name: str
) -> None:
    sign_up(page, name)
    token = log_in_elsewhere(server, name)
    post(server, LOGOUT_EVERYWHERE, {"but": True}, Authorization=f"Bearer {token}")
    page.get_by_role("navigation").get_by_role("link", name="Sessions").click()
    expect(notice(page)).to_have_text("Your session has ended. Sign in to continue.")
    log_in(page, name)

    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(page).to_have_url(re.compile("/account/sessions$"))


def test_another_tab_signs_out_too(page: Page, name: str) -> None:
    sign_up(page, name)
    other = page.context.new_page()
    other.goto("/account/events")
    expect(other.get_by_text("Account created")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()

    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


def test_events_are_read_in_pages(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    for _ in range(44):
        log_in_elsewhere(server, name)
    open_page(page, "Security events")
    rows = page.locator("main ol > li")
    expect(rows).to_have_count(20)
    page.get_by_role("button", name="Show more").focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(40)
    expect(rows.nth(20)).to_be_focused()
    page.get_by_role("button", name="Show more").click()

    expect(rows).to_have_count(45)
    expect(rows.last).to_contain_text("Account created")
    expect(rows.nth(40)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_renewals_are_shown_if_asked_for(page: Page, name: str) -> None:
    sign_up(page, name)
    page.goto("/account/events")
    expect(page.get_by_text("Account created")).to_be_visible()
    expect(page.get_by_text("Session renewed")).to_have_count(0)
    page.get_by_label("Show renewals of sessions too").check()

    expect(page.get_by_text("Session renewed")).to_have_count(1)


def test_times_are_in_the_time_zone_and_the_locale_of_the_user(
    browser: Browser, server: Server, name: str
) -> None:
    context = browser.new_context(
        base_url=server.url, locale="de-AT", timezone_id="Pacific/Auckland"
    )
    page = context.new_page()
    page.goto("/account/sign-up?return_to=/account/events")
    page.get_by_label("Benutzername").fill(name)
    page.get_by_label("E-Mail").fill(f"{name}@example.com")
    password(page, "Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Konto erstellen").click()
    time = page.locator("main time").first
    shown, at = time.inner_text(), datetime.fromisoformat(time.get_attribute("datetime") or "")
    context.close()

    assert f"{at.astimezone(ZoneInfo('Pacific/Auckland')):%d.%m.%Y, %H:%M}" == shown


# ---- Addresses ----


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
    open_page(page, "Password")
    expect(page.get_by_role("heading", name="Password")).to_be_focused()
    open_page(page, "Sessions")
    page.go_back()
    expect(page.get_by_role("heading", name="Password")).to_be_visible()
    page.go_forward()

    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()


def test_an_unknown_page_says_so(unchecked_page: Page) -> None:
    response = unchecked_page.goto("/account/nowhere")
    expect(unchecked_page.get_by_role("heading", name="Page not found")).to_be_visible()
    unchecked_page.get_by_role("link", name="Go to your account").click()

    assert response
    assert response.status == 404
    expect(unchecked_page.get_by_role("heading", name="Sign in")).to_be_visible()


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
    page.goto(f"/account/login?return_to={APP}")
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


# ---- Keyboard, password managers, languages ----


def tab_to(page: Page, label: str) -> None:
    """Press Tab until an element of this name has the focus."""
    names = []
    for _ in range(30):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "(document.activeElement.labels?.[0] ?? document.activeElement).innerText.trim()"
            )
        )
        if names[-1] == label:
            return
    raise AssertionError(f"{label} is not reached: {names}")


def test_everything_is_reached_with_the_keyboard_alone(page: Page, name: str) -> None:
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    tab_to(page, "Create an account")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Create an account")).to_be_focused()
    for label, text in (("Username", name), ("Email", "nowhere"), ("Password", PASSWORD)):
        tab_to(page, label)
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.type("@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Profile")).to_be_focused()
    for title in PAGES:
        page.reload()
        expect(page.get_by_role("navigation")).to_be_visible()
        tab_to(page, "Skip to content")
        tab_to(page, title)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    tab_to(page, "Current password")
    page.keyboard.type(PASSWORD)
    tab_to(page, "Delete my account")
    page.keyboard.press("Space")

    expect(notice(page)).to_have_text("Your account is deleted.")


def test_every_focus_can_be_seen(page: Page, name: str) -> None:
    sign_up(page, name)
    open_page(page, "Sessions")
    page.reload()
    expect(page.get_by_text("This device")).to_be_visible()
    unseen = []
    for _ in range(10):
        page.keyboard.press("Tab")
        unseen.append(
            page.evaluate(
                "getComputedStyle(document.activeElement).outlineStyle === 'none'"
                " && document.activeElement !== document.body && document.activeElement.outerHTML"
            )
        )

    assert not any(unseen), unseen


def test_password_managers_find_what_to_fill_and_save(page: Page, name: str) -> None:
    def kinds() -> list[str]:
        found: list[str] = page.locator("form input[autocomplete]").evaluate_all(
            "inputs => inputs.map((input) => input.autocomplete)"
        )
        return found

    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    assert kinds() == ["username", "current-password"]
    sign_up(page, name)
    assert kinds() == ["username", "email", "photo"]
    open_page(page, "Password")
    assert kinds() == ["username", "current-password", "new-password"]
    hidden = page.locator("form input[autocomplete=username]")
    expect(hidden).to_have_value(name)
    open_page(page, "Delete account")
    assert kinds() == ["username", "current-password"]


def test_the_language_is_the_browsers_or_the_chosen_one(page: Page) -> None:
    page.goto("/account/login")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    expect(page).to_have_title("Anmelden · Gatehouse")
    page.reload()

    expect(page.get_by_role("heading", name="Anmelden")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_messages_of_the_server_are_translated(page: Page) -> None:
    page.goto("/account/sign-up")
    page.get_by_role("button", name="Deutsch").click()
    page.get_by_label("Benutzername").fill("?")
    page.get_by_label("E-Mail").fill("nirgends")
    password(page, "Passwort").fill("password")
    page.get_by_role("button", name="Konto erstellen").click()

    expect(page.get_by_text("Ein Benutzername muss 3 bis 32 Zeichen haben.")).to_be_visible()
    expect(page.get_by_text("Geben Sie eine gültige E-Mail-Adresse ein.")).to_be_visible()
    expect(page.get_by_text("Dieses Passwort ist zu verbreitet.")).to_be_visible()


# ---- Looks ----


def problems(page: Page) -> list[str]:
    """Return what axe finds: anything, however slight."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{page.url} {violation['id']}: {node['html']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def switch_language(page: Page, language: str) -> None:
    page.get_by_role("button", name=language).click()


@pytest.mark.parametrize("language", ["English", "Deutsch"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestAccessibility:
    @pytest.fixture
    def page_options(self, scheme: str) -> dict[str, Any]:
        # Without transitions, colours are final at once.
        return {"color_scheme": scheme, "reduced_motion": "reduce", "user_agent": FIREFOX}

    def test_axe_finds_nothing_on_any_page(
        self, page: Page, server: Server, name: str, language: str
    ) -> None:
        found = []
        page.goto("/account/login")
        switch_language(page, language)
        found += problems(page)
        page.locator("form button[type=submit]").click()
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        found += problems(page)
        switch_language(page, "English")
        sign_up(page, name)
        log_in_elsewhere(server, name)
        switch_language(page, language)
        for path in PAGES.values():
            page.locator(f"nav a[href={path}]").click()
            expect(page.locator("main .loading")).to_have_count(0)
            found += problems(page)
        page.locator("form button[type=submit]").click()
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        found += problems(page)

        assert found == []


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 360, "height": 740}, "has_touch": True}

    @pytest.mark.parametrize("language", ["English", "Deutsch"])
    def test_every_page_fits_the_screen(
        self, page: Page, server: Server, name: str, language: str
    ) -> None:
        long = f"{name}-with-a-long-username"[:32]
        page.goto("/account/login")
        widths = [page.evaluate("document.documentElement.scrollWidth")]
        sign_up(page, long)
        log_in_elsewhere(server, long)
        switch_language(page, language)
        for path in PAGES.values():
            page.locator(f"nav a[href={path}]").click()
            expect(page.locator("main .loading")).to_have_count(0)
            widths.append(page.evaluate("document.documentElement.scrollWidth"))

        assert widths == [360] * 6


PICTURES = ("login", "sessions", "events-dark", "sessions-phone")


class TestPictures:
    """What the documentation shows. Signed in from several devices."""

    @pytest.fixture(params=["light", "dark", "phone"])
    def look(self, request: pytest.FixtureRequest) -> str:
        look: str = request.param
        return look

    @pytest.fixture
    def page_options(self, look: str) -> dict[str, Any]:
        width, height = (390, 844) if look == "phone" else (1280, 800)
        return {
            "viewport": {"width": width, "height": height},
            "color_scheme": "dark" if look == "dark" else "light",
            "user_agent": FIREFOX,
            "extra_http_headers": {"X-Forwarded-For": "198.51.100.7"},
        }

    def test_they_are_taken(self, page: Page, server: Server, look: str, pictures: Path) -> None:
        suffix = "" if look == "light" else f"-{look}"
        name = {"light": "ada", "dark": "grace", "phone": "joan"}[look]

        def take(title: str) -> None:
            if f"{title}{suffix}" in PICTURES:
                page.evaluate("document.activeElement.blur()")
                page.screenshot(path=pictures / f"account-{title}{suffix}.png")

        page.goto("/account/login")
        expect(page.get_by_label("Username or email")).to_be_visible()
        take("login")
        sign_up(page, name)
        log_in_elsewhere(server, name, SAFARI, "203.0.113.20")
        log_in_elsewhere(server, name, EDGE, "198.51.100.7")
        wrong = {"username": name, "password": "wrong engine"}
        httpx.post(
            f"{server.url}/graphql",
            json={"query": LOGIN, "variables": wrong},
            headers={"User-Agent": EDGE, "X-Forwarded-For": "192.0.2.44"},
        )
        for title in ("Sessions", "Security events"):
            open_page(page, title)
            expect(page.locator("main li")).not_to_have_count(0)
            take(PAGES[title])

        if look == "dark":
            # As account.css has it.
            body = "getComputedStyle(document.body).backgroundColor"
            assert page.evaluate(body) == "rgb(16, 18, 22)"


# ---- The brand ----


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("color", ["#ffe600", "#000", "#ffffff", "#0a7d4f"])
def test_a_brand_is_shown_and_can_be_read(
    browser: Browser, tmp_path: Path, scheme: Any, color: str
) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>'
    )
    url = f"sqlite:///{tmp_path / 'gatehouse.db'}"
    brand = {"BRAND_NAME": "Ada & Söhne <b>", "BRAND_LOGO": str(logo), "BRAND_COLOR": color}
    with running_server(url, SECRET_KEY, tmp_path, **brand) as server:
        context = browser.new_context(base_url=server.url, color_scheme=scheme, locale="en-GB")
        page = context.new_page()
        page.goto("/account/login")
        expect(page.get_by_role("link", name="Ada & Söhne <b>")).to_be_visible()
        expect(page).to_have_title("Sign in · Ada & Söhne <b>")
        assert page.locator(".brand img").evaluate("image => image.naturalWidth") > 0
        assert problems(page) == []
        context.close()
