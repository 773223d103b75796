"""The explorer in a browser, used as its users do."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Response, Route, expect
from pyotp import TOTP

from browser.account.steps import log_in_elsewhere, post
from browser.mailbox import mailed
from tests.operations import (
    CONFIRM_TOTP,
    LOGIN,
    LOGOUT_EVERYWHERE,
    START_TOTP,
    UPDATE_ME,
    VERIFY_EMAIL,
)
from tests.operations import CREATE_POST as CREATE
from tests.servers import Server

PASSWORD = "analytical engine"
# What the device in the picture calls itself.
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
AXE = Path(__file__).parent.parent / "web" / "node_modules" / "axe-core" / "axe.min.js"


def register(page: Page, name: str) -> None:
    page.goto("/graphql")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    submit(page, "Sign up")
    expect(page.get_by_text("Signed in as")).to_contain_text(name)


def submit(page: Page, action: str) -> None:
    page.locator("form").get_by_role("button", name=action).click()


def run(page: Page) -> Any:
    """Execute the document in the open tab and return the response."""
    expect(page.locator(".graphiql-query-editor .CodeMirror-code")).to_contain_text("{")
    with page.expect_response(is_to_a_users_document) as received:
        page.get_by_role("button", name="Execute query").click()
    response = received.value.json()
    assert "data" in response, (response, received.value.request.post_data)
    return response


def token_in_use(page: Page) -> str:
    with page.expect_request("**/graphql") as sent:
        page.get_by_role("button", name="Execute query").click()
    token: str = sent.value.headers["authorization"]
    return token


def is_to_a_users_document(response: Response) -> bool:
    """Return whether it is the response to a user's document, not to GraphiQL's introspection or
    to the account panel."""
    document = response.request.post_data or ""
    own = ("query IntrospectionQuery", "query Email", "mutation Refresh", "mutation Logout")
    return response.url.endswith("/graphql") and not any(name in document for name in own)


OPERATIONS = {
    "Who am I": "Me",
    "Sign up": "Register",
    "Sign in": "LogIn",
    "Write a post": "Write",
    "Page through posts": "Posts",
    "Watch what happens to your account": "Watch",
}


def open_example(page: Page, title: str) -> None:
    page.get_by_role("list").get_by_role("button", name=title, exact=True).click()
    tab = page.get_by_role("tab", selected=True).filter(has_text=OPERATIONS[title])
    expect(tab).to_be_visible()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Username or email")).to_be_visible()


def answer_that_the_server_is_busy(page: Page) -> None:
    error = {"message": "Try again in 9 seconds.", "extensions": {"code": "OVERLOADED"}}
    page.route("**/graphql", lambda route: route.fulfill(json={"errors": [error]}))


def test_register_run_me_log_out_and_log_in_again(page: Page, name: str) -> None:
    register(page, name)
    first = run(page)
    log_out(page)
    signed_out = run(page)
    page.get_by_label("Yes, sign in").check()
    page.get_by_label("Username or email").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    submit(page, "Sign in")
    expect(page.get_by_text("Signed in as")).to_contain_text(name)
    second = run(page)

    assert first["data"]["me"]["username"] == name
    assert signed_out["data"] == {"me": None}
    assert second["data"]["me"]["id"] == first["data"]["me"]["id"]
    expect(page.locator(".result-window")).to_contain_text(f"{name}@example.com")


def test_a_sign_in_with_a_second_factor(page: Page, server: Server, name: str) -> None:
    register(page, name)
    codes = set_up_app(page, server, name)
    page.reload()
    expect(page.get_by_label("Username or email")).to_have_count(0)
    page.get_by_label("Yes, sign in").check()
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    submit(page, "Sign in")
    expect(page.get_by_label("Code")).to_be_focused()
    page.get_by_label("Code").fill("000000")
    submit(page, "Sign in")
    expect(page.get_by_text("The code is wrong, expired or already used.")).to_be_visible()
    page.get_by_role("button", name="Start again").click()
    page.get_by_label("Yes, sign in").check()
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    submit(page, "Sign in")
    page.get_by_label("Code").fill(codes[0])
    submit(page, "Sign in")

    expect(page.get_by_text("Signed in as")).to_contain_text(name)
    assert run(page)["data"]["me"]["username"] == name


def set_up_app(page: Page, server: Server, name: str) -> list[str]:
    """Set up an authenticator app elsewhere, which ends the session of the page. Return the
    recovery codes."""
    code, _ = mailed(page, f"{name}@example.com", "Confirm your email address")
    by = {"Authorization": f"Bearer {log_in_elsewhere(server, name)}"}
    post(server, VERIFY_EMAIL, {"code": code}, **by)
    secret = post(server, START_TOTP, {}, **by)["startTotp"]["secret"]
    codes: list[str] = post(server, CONFIRM_TOTP, {"code": TOTP(secret).now()}, **by)["confirmTotp"]
    return codes


def test_the_browser_stores_no_token_and_no_password(page: Page, name: str) -> None:
    register(page, name)
    run(page)
    for title in ("Sign up", "Sign in", "Write a post"):
        open_example(page, title)
        run(page)
    page.get_by_role("button", name="History").click()
    page.reload()
    stored = json.dumps(page.evaluate("[{...localStorage}, {...sessionStorage}, document.cookie]"))

    for secret in (PASSWORD, "nanoseconds", "eyJ", "Bearer", "accessToken", name):
        assert secret not in stored


def test_every_tab_is_signed_in(page: Page, name: str) -> None:
    register(page, name)
    open_example(page, "Write a post")
    written = run(page)
    open_example(page, "Page through posts")
    posts = run(page)
    open_example(page, "Who am I")
    me = run(page)

    assert written["data"]["createPost"]["author"]["username"] == name
    assert posts["data"]["posts"]["edges"][0]["node"]["author"]["username"] == name
    assert me["data"]["me"]["username"] == name


def test_a_typed_header_overrides_the_account(page: Page, name: str) -> None:
    register(page, name)
    page.get_by_role("button", name="Headers").click()
    page.locator(".graphiql-editor-tool .CodeMirror").last.click()
    page.keyboard.insert_text('{"Authorization": "Bearer nonsense"}')
    response = run(page)

    assert response["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    # The rejected token is not the account's.
    expect(page.get_by_text("Signed in as")).to_contain_text(name)


def test_a_field_shows_its_error(page: Page, name: str) -> None:
    page.goto("/graphql")
    page.get_by_label("Username").fill("?")
    page.get_by_label("Email").fill("nowhere")
    page.get_by_label("Password").fill("password")
    submit(page, "Sign up")

    for label, message in (("Username", "3 to 32"), ("Email", "mail"), ("Password", "too common")):
        expect(page.get_by_label(label)).to_have_accessible_description(re.compile(message))


def test_a_wrong_password_shows_an_error(page: Page) -> None:
    page.goto("/graphql")
    page.get_by_label("Yes, sign in").check()
    page.get_by_label("Username or email").fill("unknown")
    page.get_by_label("Password").fill("wrong engine")
    submit(page, "Sign in")

    expect(page.get_by_role("alert").filter(has_text="wrong")).to_be_visible()


def test_a_token_is_renewed_before_it_expires(page: Page, name: str) -> None:
    page.clock.install()
    register(page, name)
    token = token_in_use(page)
    page.clock.fast_forward("31:00")
    expiry = page.get_by_role("status").locator("time")
    shown = expiry.get_attribute("datetime")
    expect(expiry).not_to_have_attribute("datetime", shown or "")

    assert token_in_use(page) != token
    expect(page.get_by_text("Signed in as")).to_contain_text(name)


def test_an_expired_token_shows_a_warning_and_can_be_renewed(page: Page, name: str) -> None:
    page.clock.install()
    register(page, name)
    answer_that_the_server_is_busy(page)
    page.clock.fast_forward("31:00")
    expect(page.get_by_text("expired at")).to_contain_text(name)
    page.unroute("**/graphql")
    page.get_by_role("button", name="Get a new token").click()

    expect(page.get_by_text("Signed in as")).to_contain_text(name)
    assert run(page)["data"]["me"]["username"] == name


@pytest.mark.parametrize("is_expired", [False, True])
def test_logging_out_ends_the_session_whether_its_token_has_expired_or_not(
    page: Page, server: Server, name: str, is_expired: bool
) -> None:
    page.clock.install()
    register(page, name)
    token = token_in_use(page)
    if is_expired:
        answer_that_the_server_is_busy(page)
        page.clock.fast_forward("31:00")
        expect(page.get_by_text("expired at")).to_be_visible()
        page.unroute("**/graphql")
    with page.expect_response("**/graphql"):
        log_out(page)

    expect(page.get_by_role("heading", name="Account")).to_be_focused()
    assert run(page)["data"] == {"me": None}
    me = {"query": "{ me { id } }"}
    replayed = httpx.post(f"{server.url}/graphql", json=me, headers={"Authorization": token})
    assert replayed.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_a_failed_log_out_says_that_the_session_may_be_active(page: Page, name: str) -> None:
    register(page, name)
    answer_that_the_server_is_busy(page)
    log_out(page)

    expect(page.get_by_text("may still be active on the server")).to_be_visible()


def test_a_response_that_arrives_after_logging_out_does_not_sign_in(page: Page, name: str) -> None:
    register(page, name)
    held: list[Route] = []
    page.route("**/graphql", lambda route: held.append(route))
    with page.expect_request("**/graphql"):
        page.get_by_role("button", name="Get a new token").click()
    log_out(page)
    with page.expect_request(lambda request: "mutation Logout" in (request.post_data or "")):
        held[0].continue_()

    expect(page.get_by_label("Username or email")).to_be_visible()
    expect(page.get_by_text("Signed in as")).to_be_hidden()


def test_a_failed_refresh_shows_its_error(page: Page, server: Server, name: str) -> None:
    register(page, name)
    answer_that_the_server_is_busy(page)
    page.get_by_role("button", name="Get a new token").click()

    expect(page.get_by_role("alert").filter(has_text="9 seconds")).to_be_visible()
    expect(page.get_by_text("Signed in as")).to_contain_text(name)


def test_a_url_in_a_response_is_not_loaded(page: Page, server: Server, name: str) -> None:
    page.clock.install()
    register(page, name)
    post = {"input": {"title": "https://evil.example/x.png", "content": "x"}}
    httpx.post(
        f"{server.url}/graphql",
        json={"query": CREATE, "variables": post},
        headers={"Authorization": token_in_use(page)},
    )
    open_example(page, "Page through posts")
    assert run(page)["data"]["posts"]
    # A request would be blocked and fail the test, as would a message on the console.
    page.locator(".result-window").get_by_text("evil.example").first.hover()
    page.clock.fast_forward(5000)

    expect(page.locator(".CodeMirror-info")).to_have_count(0)


def test_a_session_that_was_ended_elsewhere_signs_out(
    page: Page, server: Server, name: str
) -> None:
    register(page, name)
    credentials = {"username": name, "password": PASSWORD}
    login = httpx.post(
        f"{server.url}/graphql", json={"query": LOGIN, "variables": credentials}
    ).json()
    httpx.post(
        f"{server.url}/graphql",
        json={"query": "mutation { logoutEverywhere(exceptThis: true) }"},
        headers={"Authorization": f"Bearer {login['data']['login']['accessToken']}"},
    )

    expect(page.get_by_text("Your session has ended. Sign in again.")).to_be_visible()


def test_the_panel_follows_the_account(page: Page, server: Server, name: str) -> None:
    register(page, name)
    by = {"Authorization": f"Bearer {log_in_elsewhere(server, name)}"}
    post(server, UPDATE_ME, {"input": {"username": f"{name}2"}}, **by)

    expect(page.get_by_text("Signed in as")).to_contain_text(f"{name}2 ({name}@example.com)")


def test_a_subscription_shows_events_until_it_is_stopped(
    page: Page, server: Server, name: str
) -> None:
    register(page, name)
    open_example(page, "Watch what happens to your account")
    result = page.locator(".result-window")
    page.get_by_role("button", name="Execute query").click()
    token = log_in_elsewhere(server, name)
    expect(result).to_contain_text('"kind": "LOGGED_IN"')
    post(server, "mutation { logout }", {}, Authorization=f"Bearer {token}")
    expect(result).to_contain_text('"kind": "SESSION_ENDED"')
    page.get_by_role("button", name="Stop query").click()

    expect(page.get_by_role("button", name="Execute query")).to_be_visible()


def test_a_subscription_ends_with_the_session(page: Page, server: Server, name: str) -> None:
    register(page, name)
    open_example(page, "Watch what happens to your account")
    page.get_by_role("button", name="Execute query").click()
    expect(page.get_by_role("button", name="Stop query")).to_be_visible()
    token = log_in_elsewhere(server, name)
    post(server, LOGOUT_EVERYWHERE, {"but": True}, Authorization=f"Bearer {token}")
    expect(page.get_by_text("Your session has ended. Sign in again.")).to_be_visible()

    expect(page.locator(".result-window")).to_contain_text("UNAUTHENTICATED")
    expect(page.get_by_role("button", name="Execute query")).to_be_visible()


def test_a_subscription_of_a_document_with_several_operations_runs_alone(
    page: Page, name: str
) -> None:
    register(page, name)
    open_example(page, "Who am I")
    editor = page.locator(".graphiql-query-editor .CodeMirror")
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("query Other { me { id } } subscription Me { me { username } }")
    expect(page.get_by_role("tab", selected=True)).to_contain_text("Me")
    # The button opens a menu, whose styles the Content Security Policy blocks.
    page.keyboard.press("Control+Enter")

    expect(page.locator(".result-window")).to_contain_text(name)
    expect(page.get_by_role("button", name="Stop query")).to_be_visible()


def test_a_subscription_refuses_a_typed_token(page: Page, name: str) -> None:
    register(page, name)
    open_example(page, "Watch what happens to your account")
    page.get_by_role("button", name="Headers").click()
    page.locator(".graphiql-editor-tool .CodeMirror").last.click()
    page.keyboard.insert_text('{"Authorization": "Bearer nonsense"}')
    page.get_by_role("button", name="Execute query").click()

    expect(page.locator(".result-window")).to_contain_text("Empty the Headers pane")


def test_it_works_with_the_keyboard_only(page: Page, name: str) -> None:
    page.goto("/graphql")
    expect(page.get_by_label("Username")).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "username":
            break
    for text in (name, "nowhere", PASSWORD):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email")).to_be_focused()
    page.keyboard.type("@example.com")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Account")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('.graphiql-query-editor .CodeMirror')"):
            break
    with page.expect_response(is_to_a_users_document) as received:
        page.keyboard.press("Control+Enter")
    page.keyboard.press("Tab")

    assert received.value.json()["data"]["me"]["username"] == name
    assert not page.evaluate("!!document.activeElement.closest('.CodeMirror')")


def accessibility_problems(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run('.account')")
    return [
        f"{violation['id']}: {node['html']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
class TestColorSchemes:
    @pytest.fixture
    def name(self, scheme: str) -> str:
        return {"light": "lovelace", "dark": "hopper"}[scheme]

    @pytest.fixture
    def page_options(self, scheme: str) -> dict[str, Any]:
        viewport = {"width": 1280, "height": 720}
        return {"viewport": viewport, "color_scheme": scheme, "user_agent": FIREFOX}

    def test_the_account_panel_is_accessible(
        self, page: Page, name: str, scheme: str, pictures: Path
    ) -> None:
        page.goto("/graphql")
        expect(page.get_by_label("Username")).to_be_visible()
        initial = accessibility_problems(page)
        submit(page, "Sign up")
        expect(page.get_by_role("alert").first).to_be_visible()
        with_errors = accessibility_problems(page)
        register(page, name)
        run(page)
        signed_in = accessibility_problems(page)
        if scheme == "light":
            page.screenshot(path=pictures / "explorer-light.png")

        assert initial == with_errors == signed_in == []
        background = page.evaluate(
            "getComputedStyle(document.querySelector('.graphiql-container')).backgroundColor"
        )
        assert (background != "rgb(255, 255, 255)") is (scheme == "dark")


class TestOnAPhone:
    @pytest.fixture
    def page_options(self) -> dict[str, Any]:
        return {"viewport": {"width": 390, "height": 844}, "has_touch": True}

    def test_the_page_fits_the_screen(self, page: Page, name: str) -> None:
        register(page, name)
        response = run(page)

        assert response["data"]["me"]["username"] == name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        expect(page.locator(".result-window")).to_contain_text(name)
