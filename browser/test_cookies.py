"""The cookie of browser sessions in Chromium, and pages of other origins that would use it."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browsers import COOKIE
from tests.conftest import SECRET_KEY
from tests.servers import Server, free_port, running_server, wait_until

REGISTER = 'mutation { register(input: {username: "ada", email: "ada@example.com", password: "analytical engine"}) { refreshToken } }'
LOGIN = 'mutation { login(username: "ada", password: "analytical engine") { refreshToken } }'
REFRESH = 'mutation { refresh(refreshToken: "cookie") { accessToken refreshToken } }'
LOGOUT = "mutation { logout }"

SEND = """
async ([url, query, headers, mode]) => {
  try {
    const response = await fetch(url + "/graphql", {
      method: "POST", credentials: "include", mode, headers, body: JSON.stringify({ query }),
    });
    return response.type === "opaque" ? "opaque" : await response.json();
  } catch { return "blocked"; }
}
"""
JSON = {"Content-Type": "application/json"}
BY_COOKIE = JSON | {"Gatehouse-Session": "cookie"}


class Blank(http.server.BaseHTTPRequestHandler):
    """A page without content, for scripts of its origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>blank</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def pages() -> Iterator[list[int]]:
    """Serve blank pages, and return their ports: that of a listed origin, and that of another."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blank) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [server.server_port for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def server(pages: list[int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    with running_server(
        f"sqlite:///{folder / 'gatehouse.db'}",
        SECRET_KEY,
        folder,
        PORT=str(port),
        # As behind a proxy with HTTPS. Chromium keeps a secure cookie of a loopback address.
        PUBLIC_URL="https://accounts.example.com",
        CORS_ORIGINS=",".join(
            [f"http://{host}:{pages[0]}" for host in ("127.0.0.1", "localhost")]
            + [f"http://127.0.0.1:{port}"]
        ),
    ) as server:
        yield server


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, server: Server) -> Page:
    """Return a page of the server's own origin, in a browser that is signed in."""
    page = context.new_page()
    page.goto(f"{server.url}/docs")
    if "errors" in send(page, server, REGISTER):
        assert "errors" not in send(page, server, LOGIN)
    return page


def send(
    page: Page,
    server: Server,
    query: str,
    headers: dict[str, str] = BY_COOKIE,
    mode: str = "cors",
) -> Any:
    return page.evaluate(SEND, [server.url, query, headers, mode])


def cookies(context: BrowserContext) -> dict[str, Any]:
    return {cookie["name"]: cookie for cookie in context.cookies()}


def test_the_browser_keeps_it_out_of_reach_of_scripts(
    context: BrowserContext, page: Page, server: Server
) -> None:
    [cookie] = cookies(context).values()
    refreshed = send(page, server, REFRESH)["data"]["refresh"]

    assert cookie["name"] == COOKIE
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    assert page.evaluate("document.cookie") == ""
    assert refreshed["refreshToken"] == "cookie"
    assert cookies(context)[COOKIE]["value"] != cookie["value"]


def test_logging_out_removes_it(context: BrowserContext, page: Page, server: Server) -> None:
    assert "errors" not in send(page, server, LOGOUT)

    assert cookies(context) == {}
    assert "errors" in send(page, server, REFRESH)


def test_no_log_has_its_value(context: BrowserContext, page: Page, server: Server) -> None:
    first = cookies(context)[COOKIE]["value"]
    send(page, server, REFRESH)
    last = cookies(context)[COOKIE]["value"]
    send(page, server, LOGOUT)
    context.add_cookies([{"name": COOKIE, "value": last, "url": "https://127.0.0.1"}])
    failed = send(page, server, REFRESH.replace("mutation", "mutation LastRefresh"))
    wait_until(lambda: " mutation LastRefresh " in server.logged())
    # A third of a value identifies the session, and the rest is secret.
    parts = {part for value in (first, last) for part in (value[:21], value[22:])}

    assert failed["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert first != last
    assert not any(part in server.logged() for part in parts)


def test_a_page_of_a_listed_origin_of_the_same_site_uses_it(
    context: BrowserContext, page: Page, server: Server, pages: list[int]
) -> None:
    page.goto(f"http://127.0.0.1:{pages[0]}/")

    assert send(page, server, REFRESH)["data"]["refresh"]["refreshToken"] == "cookie"


def test_a_listed_page_of_another_site_is_refused(
    context: BrowserContext, page: Page, server: Server, pages: list[int]
) -> None:
    page.goto(f"http://localhost:{pages[0]}/")
    [error] = send(page, server, REFRESH)["errors"]

    assert "same site" in error["message"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_another_origin_changes_nothing(
    context: BrowserContext, page: Page, server: Server, pages: list[int], host: str
) -> None:
    before = cookies(context)
    page.goto(f"http://{host}:{pages[1]}/")
    text = {"Content-Type": "text/plain"}
    for query in (REFRESH, LOGOUT):
        assert send(page, server, query) == "blocked"
        assert send(page, server, query, JSON) == "blocked"
        assert send(page, server, query, text) == "blocked"
        assert send(page, server, query, BY_COOKIE, "no-cors") == "opaque"
    page.evaluate(
        "url => new Promise(done => Object.assign(new Image(), { src: url, onerror: done }))",
        f"{server.url}/graphql?query={LOGOUT}",
    )
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        page.goto(f"http://{host}:{pages[1]}/")
        page.set_content(
            f"<form method=post enctype={kind} action={server.url}/graphql>"
            f"""<input name='{{"query": "{LOGOUT}", "a": "' value='"}}'></form>"""
        )
        with page.expect_navigation():
            page.evaluate("document.forms[0].submit()")

    assert cookies(context) == before
    page.goto(f"{server.url}/docs")
    assert "errors" not in send(page, server, REFRESH)


def test_a_page_without_an_origin_changes_nothing(
    context: BrowserContext, page: Page, server: Server, pages: list[int]
) -> None:
    before = cookies(context)
    # A frame in a sandbox has the origin "null", even of a listed page.
    page.goto(f"http://127.0.0.1:{pages[0]}/")
    page.set_content("<iframe sandbox=allow-scripts srcdoc='<title>blank</title>'></iframe>")
    frame = page.frames[1]
    frame.wait_for_load_state()
    origin = frame.evaluate("origin")
    answers = [
        frame.evaluate(SEND, [server.url, query, headers, "cors"])
        for query in (REFRESH, LOGOUT)
        for headers in (BY_COOKIE, JSON)
    ]

    assert origin == "null"
    assert set(answers) == {"blocked"}
    assert cookies(context) == before
    assert "errors" not in send(page, server, REFRESH)


def test_two_tabs_that_start_at_once_stay_signed_in(
    context: BrowserContext, page: Page, server: Server
) -> None:
    other = context.new_page()
    other.goto(f"{server.url}/docs")
    for tab in (page, other):
        tab.evaluate(f"window.answer = ({SEND})({[server.url, REFRESH, BY_COOKIE, 'cors']!r})")
    answers = [tab.evaluate("window.answer") for tab in (page, other)]

    assert all("errors" not in answer for answer in answers)
    assert "errors" not in send(page, server, REFRESH)
