"""Apollo, urql and Relay with ``@gatehouse/client``, in a page of another origin."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from browser.app_origin import served
from browser.database import database
from clients.npm import expired_token, run_npm
from tests.conftest import DATABASES, SECRET_KEY
from tests.operations import LOGIN, LOGOUT_EVERYWHERE, REGISTER
from tests.servers import TIMEOUT_SECONDS, Server, running_server

EXAMPLES = Path(__file__).parent.parent / "web" / "examples"
PASSWORD = "analytical engine"
# A poll each second, the check of a session each fifth, and a busy machine.
SOON_SECONDS = 5
EXPIRE = """(accessToken) =>
  page.session.adopt({ ...page.session.state, accessToken, refreshToken: "cookie", expiresIn: 1800 })
"""


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the page of the examples, and serve it."""
    folder = tmp_path_factory.mktemp("page")
    run_npm(EXAMPLES, "run", "--silent", "generate")
    run_npm(EXAMPLES, "run", "--silent", "build", "--", "--outDir", str(folder), "--emptyOutDir")
    with served(folder) as origin:
        yield origin


@pytest.fixture(scope="module", params=DATABASES)
def server(
    request: pytest.FixtureRequest, origin: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with (
        database(request.param, folder) as url,
        running_server(url, SECRET_KEY, folder, CORS_ORIGINS=origin) as server,
    ):
        yield server


@pytest.fixture
def app(browser: Browser, origin: str) -> Iterator[Page]:
    context = browser.new_context(base_url=origin)
    yield context.new_page()
    context.close()


def execute(server: Server, document: str, token: str = "", **variables: object) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"query": document, "variables": variables}
    answer = httpx.post(f"{server.url}/graphql", json=body, headers=headers).json()
    assert "errors" not in answer, answer
    return answer["data"]


def register(server: Server, name: str) -> None:
    execute(server, REGISTER, username=name, email=f"{name}@example.com", password=PASSWORD)


def log_in_elsewhere(server: Server, name: str) -> str:
    token: str = execute(server, LOGIN, username=name, password=PASSWORD)["login"]["accessToken"]
    return token


@pytest.mark.parametrize("client", ["apollo", "urql", "relay", "fetch"])
def test_a_user_stays_signed_in(app: Page, server: Server, client: str) -> None:
    name = f"user-{client}"
    register(server, name)
    app.goto(f"/?client={client}&url={server.url}/graphql")
    app.evaluate("([name, password]) => page.logIn(name, password)", [name, PASSWORD])
    after_sign_in = app.evaluate("page.me()")
    app.reload()
    after_reload = app.evaluate("page.me()")
    expired = expired_token(server)
    app.evaluate(EXPIRE, expired)
    refreshes = server.logged().count(" mutation Refresh ")
    after_expiry = app.evaluate("page.me()")

    assert [after_sign_in, after_reload, after_expiry] == [name] * 3
    assert server.logged().count(" mutation Refresh ") == refreshes + 1
    assert app.evaluate("page.session.state.accessToken") != expired
    assert app.evaluate("document.cookie") == ""


@pytest.mark.parametrize("client", ["apollo", "urql", "relay", "fetch"])
def test_a_page_is_told_what_happens_to_the_account(app: Page, server: Server, client: str) -> None:
    name = f"watcher-{client}"
    register(server, name)
    app.goto(f"/?client={client}&url={server.url}/graphql")
    app.evaluate("([name, password]) => page.logIn(name, password)", [name, PASSWORD])
    with app.expect_websocket() as opened:
        app.evaluate("() => void page.watch()")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not app.evaluate("page.kinds.length"):
        assert time.monotonic() < deadline
        token = log_in_elsewhere(server, name)
        app.wait_for_timeout(1500)
    kinds = set(app.evaluate("page.kinds"))
    started = time.monotonic()
    with opened.value.expect_event("close"):
        execute(server, LOGOUT_EVERYWHERE, token, but=True)
    app.wait_for_function("page.session.state.status === 'signedOut'")
    seconds = time.monotonic() - started

    print(f"{client}: signed out {seconds:.2f} s after the session was ended")
    assert kinds == {"LOGGED_IN"}
    assert seconds < SOON_SECONDS
