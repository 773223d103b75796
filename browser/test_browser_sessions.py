"""One session in a browser: reloads, tabs, the clock, and what scripts can reach."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, expect

from browser.holding_proxy import HoldingProxy
from tests.conftest import SECRET_KEY
from tests.servers import TIMEOUT_SECONDS, Server, running_server

PASSWORD = "analytical engine"

SLOW_TIMERS = """
const start = setTimeout;
window.setTimeout = (run, delay, ...rest) => start(run, delay * 1000, ...rest);
"""

WAITING = "navigator.locks.query().then(({ pending }) => pending.length)"

STORED = """async () => [
    {...localStorage}, {...sessionStorage}, document.cookie,
    await indexedDB.databases(), await caches.keys(),
]"""

numbers = itertools.count()


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server on which a refresh token works once: a spent one in the cookie shows."""
    folder = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder, REFRESH_GRACE_SECONDS="0") as server:
        yield server


@pytest.fixture
def proxy(direct: Server) -> HoldingProxy:
    port = urlsplit(direct.url).port
    assert port
    return HoldingProxy(port)


@pytest.fixture
def server(direct: Server, proxy: HoldingProxy) -> Iterator[Server]:
    with proxy.url() as url:
        yield replace(direct, url=url)


@pytest.fixture
def name() -> str:
    return f"grace{next(numbers)}x"


def register(page: Page, name: str) -> None:
    page.goto("/graphql")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Sign up").click()
    expect_signed_in(page, name)


def log_in(page: Page, name: str) -> None:
    page.get_by_label("Yes, sign in").check()
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("form").get_by_role("button", name="Sign in").click()


def expect_signed_in(page: Page, name: str) -> None:
    expect(page.get_by_text("Signed in as")).to_contain_text(name)


def expect_signed_out(page: Page) -> None:
    expect(page.get_by_text("Yes, sign in")).to_be_visible()


def open_tab(page: Page) -> Page:
    tab = page.context.new_page()
    tab.goto("/graphql")
    return tab


def expiry(page: Page) -> str:
    shown = page.get_by_role("status").locator("time").get_attribute("datetime")
    assert shown
    return str(shown)


def get_new_token(page: Page) -> None:
    page.get_by_role("button", name="Get a new token").click()


def get_new_token_or_wait(page: Page) -> None:
    """Get a new token, unless the tab has to wait for another one."""
    shown = expiry(page)
    get_new_token(page)
    wait_until(page, lambda: page.evaluate(WAITING) > 0 or expiry(page) != shown)


def wait_until(page: Page, condition: Callable[[], bool]) -> None:
    """Poll until a condition holds. The page's requests pass meanwhile."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)


def test_a_reload_and_a_second_tab_stay_signed_in(page: Page, name: str) -> None:
    register(page, name)
    page.reload()
    expect_signed_in(page, name)
    second = open_tab(page)
    expect_signed_in(second, name)
    page.close()
    second.reload()

    expect_signed_in(second, name)


def test_a_tab_takes_the_access_token_of_another_without_a_refresh(
    page: Page, proxy: HoldingProxy, name: str
) -> None:
    register(page, name)
    before = proxy.refreshes
    second = page.context.new_page()
    # The new tab waits for the other one as long as it takes.
    second.add_init_script(SLOW_TIMERS)
    second.goto("/graphql")
    expect(second.get_by_text("Signed in as")).to_contain_text(name, timeout=TIMEOUT_SECONDS * 1000)

    assert proxy.refreshes == before
    assert expiry(second) == expiry(page)


def test_an_answer_that_is_late_does_not_bring_back_a_spent_token(
    page: Page, proxy: HoldingProxy, name: str
) -> None:
    register(page, name)
    second = open_tab(page)
    expect_signed_in(second, name)
    with proxy.holding():
        get_new_token(page)
        wait_until(page, proxy.has_answer)
        # Without the lock, they would use up the token that is on its way.
        for _ in range(3):
            get_new_token_or_wait(second)
    expect_signed_in(second, name)
    # The cookie has the newest token: each of these would end the session with another one.
    second.close()
    for _ in range(2):
        page.reload()
        expect_signed_in(page, name)


def test_a_sign_in_is_not_undone_by_a_tab_that_opens_meanwhile(
    page: Page, proxy: HoldingProxy, name: str
) -> None:
    register(page, name)
    page.get_by_role("button", name="Sign out").click()
    expect_signed_out(page)
    page.reload()
    expect_signed_out(page)
    with proxy.holding():
        second = open_tab(page)
        wait_until(page, proxy.has_answer)
        log_in(page, name)
        # The answer to the second tab will clear the cookie, so the sign-in must wait for it.
        wait_until(page, lambda: page.evaluate(WAITING) == 1)
    expect_signed_in(page, name)
    expect_signed_in(second, name)
    second.close()
    page.reload()

    expect_signed_in(page, name)


def test_tabs_stay_signed_in_as_time_passes(page: Page, proxy: HoldingProxy, name: str) -> None:
    page.clock.install()
    register(page, name)
    second = open_tab(page)
    expect_signed_in(second, name)
    before = proxy.refreshes
    for _ in range(12):
        shown = expiry(page)
        page.clock.fast_forward("29:45")
        for tab in (page, second):
            expect(tab.get_by_role("status").locator(f'time[datetime="{shown}"]')).to_have_count(0)
            expect_signed_in(tab, name)

    # One for both tabs, unless one of them was too busy to hand on its token.
    assert 12 <= proxy.refreshes - before < 24


def test_a_hidden_tab_refreshes_when_it_is_needed(
    page: Page, proxy: HoldingProxy, name: str
) -> None:
    page.clock.install()
    register(page, name)
    page.evaluate("Object.defineProperty(document, 'visibilityState', { value: 'hidden' })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    before = proxy.refreshes
    page.clock.fast_forward("05:00:00")
    expect(page.get_by_text("expired at")).to_contain_text(name)
    in_the_background = proxy.refreshes - before
    page.get_by_role("button", name="Execute query").click()
    expect_signed_in(page, name)

    assert in_the_background == 0
    expect(page.locator(".result-window")).to_contain_text(f"{name}@example.com")


def test_signing_out_and_in_reaches_the_other_tabs(page: Page, name: str) -> None:
    register(page, name)
    second = open_tab(page)
    expect_signed_in(second, name)
    page.get_by_role("button", name="Sign out").click()
    expect_signed_out(second)
    expect_signed_out(page)
    second.reload()
    expect_signed_out(second)
    log_in(second, name)

    expect_signed_in(second, name)
    expect_signed_in(page, name)


def test_a_session_that_was_ended_elsewhere_ends_in_all_tabs(page: Page, name: str) -> None:
    register(page, name)
    second = open_tab(page)
    expect_signed_in(second, name)
    ended = page.evaluate(
        """async (body) => {
            const response = await fetch("graphql", {
                method: "POST", body,
                headers: { "Content-Type": "application/json", "Gatehouse-Session": "cookie" },
            });
            return response.json();
        }""",
        json.dumps({"query": "mutation { logout }"}),
    )
    page.get_by_role("button", name="Execute query").click()

    assert ended["data"]["logout"]
    expect_signed_out(page)
    expect_signed_out(second)


def test_scripts_reach_no_refresh_token(page: Page, direct: Server, name: str) -> None:
    seen: list[str] = []

    def record(response: Response) -> None:
        seen.append(response.request.post_data or "")
        seen.append(response.text())

    page.on("response", record)
    register(page, name)
    tokens = [cookie_of(page)]
    shown = expiry(page)
    get_new_token(page)
    # A reload would drop the response, and a token works once here.
    wait_until(page, lambda: expiry(page) != shown)
    page.reload()
    expect_signed_in(page, name)
    tokens.append(cookie_of(page))
    stored = page.evaluate(STORED)
    with page.expect_response("**/graphql"):
        page.get_by_role("button", name="Sign out").click()
    expect_signed_out(page)

    assert tokens[0] != tokens[1]
    assert stored[1:] == [{}, "", [], []]
    for token in tokens:
        assert token not in json.dumps(stored)
        assert token not in direct.logged()
        assert not any(token in text for text in seen)
    assert page.context.cookies() == []
    assert "mutation Refresh" in "".join(seen)


def cookie_of(page: Page) -> str:
    [cookie] = page.context.cookies()
    # The name over plain HTTP.
    assert cookie["name"] == "gatehouse"
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    return str(cookie["value"])
