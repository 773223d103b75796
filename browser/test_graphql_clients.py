"""Apollo, urql and Relay with ``@gatehouse/client``, in a page of another origin."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from browser.app_origin import served
from clients.npm import expired_token, run_npm
from tests.conftest import SECRET_KEY
from tests.operations import REGISTER
from tests.servers import Server, running_server

EXAMPLES = Path(__file__).parent.parent / "web" / "examples"
PASSWORD = "analytical engine"
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


@pytest.fixture(scope="module")
def server(origin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder, CORS_ORIGINS=origin) as server:
        yield server


@pytest.fixture
def app(browser: Browser, origin: str) -> Iterator[Page]:
    context = browser.new_context(base_url=origin)
    yield context.new_page()
    context.close()


def register(server: Server, name: str) -> None:
    user = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    answer = httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": user})
    assert "errors" not in answer.json()


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
