"""The npm package ``@gatehouse/client`` as it is published, in a page of another origin."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from browser.app_origin import served
from tests.conftest import SECRET_KEY
from tests.servers import Server, running_server

PACKAGE = Path(__file__).parent.parent / "web" / "client" / "dist"
PAGE = """<!doctype html>
<title>App</title>
<script type="module">
  import { createSession } from "/index.js";
  globalThis.session = createSession({ url: "%s/graphql", mode: "cookie" });
</script>
"""
REGISTER = """mutation Register($input: RegisterInput!) {
  register(input: $input) { accessToken refreshToken expiresIn user { id username } }
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the folder of a page that loads the package's modules as they are."""
    folder = tmp_path_factory.mktemp("app")
    shutil.copytree(PACKAGE, folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def origin(folder: Path) -> Iterator[str]:
    with served(folder) as origin:
        yield origin


@pytest.fixture(scope="module")
def server(folder: Path, origin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{data / 'gatehouse.db'}"
    # A used refresh token ends its session at once, so that no tab may send one.
    settings = {"CORS_ORIGINS": origin, "REFRESH_GRACE_SECONDS": "0"}
    with running_server(url, SECRET_KEY, data, **settings) as server:
        (folder / "index.html").write_text(PAGE % server.url)
        yield server


@pytest.fixture
def app(browser: Browser, server: Server, origin: str) -> Iterator[Page]:
    """Open a page of another port."""
    context = browser.new_context(base_url=origin)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def status(page: Page) -> str:
    page.wait_for_function("globalThis.session")
    found: str = page.evaluate("session.ready.then((state) => state.status)")
    return found


def register(page: Page, name: str) -> None:
    page.evaluate(
        """async ([query, input]) => {
            const { register } = await session.request(query, { input });
            if (register.refreshToken !== "cookie") throw new Error("It is not in the cookie.");
            session.adopt(register);
        }""",
        [
            REGISTER,
            {"username": name, "email": f"{name}@example.com", "password": "analytical engine"},
        ],
    )


def me(page: Page) -> str:
    name: str = page.evaluate(
        "session.request('{ me { username } }').then(({ me }) => me.username)"
    )
    return name


def test_a_page_of_another_origin_stays_signed_in_after_a_reload(app: Page) -> None:
    before = status(app)
    register(app, "ada")
    app.reload()
    after = status(app)

    assert (before, after) == ("signedOut", "signedIn")
    assert me(app) == "ada"
    assert app.evaluate("session.state.user.username") == "ada"
    assert app.evaluate("document.cookie") == ""


def test_signing_out_clears_the_cookie(app: Page) -> None:
    status(app)
    register(app, "grace")
    app.evaluate("session.signOut()")
    app.reload()

    assert status(app) == "signedOut"
    assert app.context.cookies() == []


def test_queries_by_get_have_no_header_that_they_may_not_have(app: Page) -> None:
    status(app)
    register(app, "alan")
    found = app.evaluate(
        """session.fetch(`${session.url}?query={me{username}}`)
            .then((response) => response.json())"""
    )

    assert found == {"data": {"me": {"username": "alan"}}}


def test_the_token_goes_to_other_services_and_the_cookie_does_not(
    app: Page, server: Server
) -> None:
    status(app)
    register(app, "edsger")
    with app.expect_request("**/userinfo") as sent:
        name = app.evaluate(
            "session.fetch(new URL('userinfo', session.url))"
            ".then((response) => response.json()).then((user) => user.preferred_username)"
        )

    assert name == "edsger"
    assert "gatehouse-session" not in sent.value.all_headers()
    assert "cookie" not in sent.value.all_headers()


def test_it_refreshes_thirty_seconds_before_the_token_expires(app: Page) -> None:
    app.clock.install()
    app.reload()
    status(app)
    register(app, "adele")
    first = app.evaluate("session.state")
    app.clock.pause_at(first["expiresAt"] / 1000 - 31)
    app.evaluate("() => void session.accessToken().then((token) => (globalThis.kept = token))")
    kept = app.wait_for_function("globalThis.kept").json_value()
    with app.expect_request("**/graphql") as sent:
        app.clock.run_for(1_100)
        # It asks the other tabs first, under the lock.
        app.wait_for_function("navigator.locks.query().then(({ held }) => held.length === 1)")
        app.clock.run_for(60)
    app.wait_for_function("(first) => session.state.accessToken !== first", arg=kept)

    assert kept == first["accessToken"]
    assert "mutation Refresh" in (sent.value.post_data or "")


# Returns at once: a tab waits for the answer of another one by the clock, which the test moves.
REFRESH_TEN_TIMES = """() => {
  globalThis.left = 10;
  (async () => {
    for (; left > 0; left--) await session.refresh();
  })().catch((error) => (globalThis.left = String(error)));
}"""


def refresh_ten_times(tabs: list[Page]) -> None:
    for tab in tabs:
        tab.evaluate(REFRESH_TEN_TIMES)
    while any(tab.evaluate("left > 0") for tab in tabs):
        for _ in range(10):
            # Longer than a tab waits for another one, and too short for a refresh to be late.
            tabs[0].clock.run_for(60)
    assert [tab.evaluate("left") for tab in tabs] == [0, 0]


def test_two_tabs_stay_signed_in_through_a_thousand_refreshes_in_an_hour(
    app: Page, server: Server
) -> None:
    app.clock.install()
    tabs = [app, app.context.new_page()]
    for tab in tabs:
        tab.goto("/")
        status(tab)
    register(app, "barbara")
    for _ in range(100):
        refresh_ten_times(tabs)
        app.clock.fast_forward("00:36")

    # All calls at one time share a refresh.
    assert server.logged().count(" mutation Refresh ") >= 1000
    assert [tab.evaluate("session.state.status") for tab in tabs] == ["signedIn", "signedIn"]
    assert [me(tab) for tab in tabs] == ["barbara", "barbara"]
    tabs[1].close()
    app.reload()
    assert status(app) == "signedIn"
    assert me(app) == "barbara"


REAUTHENTICATE_TEN_TIMES = """async () => {
  const { reauthenticate } = await import("/proof.js");
  globalThis.left = 10;
  (async () => {
    for (; left > 0; left--) await reauthenticate(session, { password: "analytical engine" });
  })().catch((error) => (globalThis.left = String(error)));
}"""


def test_two_tabs_stay_signed_in_while_one_proves_and_the_other_refreshes(app: Page) -> None:
    app.clock.install()
    tabs = [app, app.context.new_page()]
    for tab in tabs:
        tab.goto("/")
        status(tab)
    register(app, "margaret")
    ended = "session.onChange(({ status }) => status === 'signedOut' && (globalThis.ended = true))"
    for tab in tabs:
        tab.evaluate(ended)
    tabs[0].evaluate(REAUTHENTICATE_TEN_TIMES)
    tabs[1].evaluate(REFRESH_TEN_TIMES)
    while any(tab.evaluate("left > 0") for tab in tabs):
        tabs[0].clock.run_for(60)

    assert [tab.evaluate("left") for tab in tabs] == [0, 0]
    assert not any(tab.evaluate("globalThis.ended") for tab in tabs)
    assert [me(tab) for tab in tabs] == ["margaret", "margaret"]
    app.reload()
    assert status(app) == "signedIn"


def test_a_proof_in_one_tab_gives_the_other_its_access_token(app: Page) -> None:
    other = app.context.new_page()
    other.goto("/")
    status(app)
    status(other)
    register(app, "dorothy")
    other.wait_for_function("session.state.status === 'signedIn'")
    token = app.evaluate(
        """async () => {
            const { reauthenticate } = await import("/proof.js");
            await reauthenticate(session, { password: "analytical engine" });
            return session.state.accessToken;
        }"""
    )

    other.wait_for_function("(token) => session.state.accessToken === token", arg=token)


# As an application of another origin would, which this page does not hear of.
LOG_OUT_ELSEWHERE = """() => fetch(session.url, {
    method: "POST",
    credentials: "include",
    headers: { "Content-Type": "application/json", "Gatehouse-Session": "cookie" },
    body: JSON.stringify({ query: "mutation { logout }" }),
}).then((response) => response.json())"""


# Without a window, Chromium freezes no page: these are the events of one that was frozen.
def freeze_and_resume(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new Event('resume'))")


def go_back_to_it(page: Page) -> None:
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")


def hide_and_show(page: Page) -> None:
    show(page, "hidden")
    page.clock.fast_forward("05:01")
    show(page, "visible")


def show(page: Page, state: str) -> None:
    page.evaluate(
        """(value) => {
            Object.defineProperty(document, "visibilityState", { value, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


@pytest.mark.parametrize("leave_and_return", [freeze_and_resume, go_back_to_it, hide_and_show])
def test_a_page_that_was_frozen_hands_out_no_token_of_an_ended_session(
    app: Page, leave_and_return: Callable[[Page], None]
) -> None:
    app.clock.install()
    app.reload()
    status(app)
    register(app, leave_and_return.__name__)
    ended = app.evaluate(LOG_OUT_ELSEWHERE)
    before = app.evaluate("session.accessToken()")
    leave_and_return(app)

    assert ended["data"]["logout"]
    assert before
    assert app.evaluate("session.accessToken()") is None
    assert app.evaluate("session.state.status") == "signedOut"
