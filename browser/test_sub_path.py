"""The pages behind a proxy that serves them under a path (docs/how-to/sub-path.md)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FilePayload, Page, expect

from browser.frames import frames_of, wait_for_frame
from tests.images import PNG
from tests.servers import Server
from tests.sub_path import NGINX, server_under_a_path

pytestmark = pytest.mark.skipif(not NGINX, reason="needs nginx")


@pytest.fixture(scope="module", params=[True, False], ids=["stripped", "passed on"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with server_under_a_path(url, folder, strips=request.param) as server:
        yield server


def test_the_explorer_registers_and_executes_there(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password").fill("analytical engine")
    page.locator("form").get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Signed in as")).to_contain_text("ada")
    with page.expect_response("**/graphql") as response:
        page.get_by_role("button", name="Execute query").click()

    assert urlsplit(page.url).path == "/accounts/graphql"
    assert "data" in response.value.json()
    page.reload()
    expect(page.get_by_text("Signed in as")).to_contain_text("ada")
    with page.expect_response("**/accounts/graphql") as logout:
        page.get_by_role("button", name="Sign out").click()
    assert logout.value.json()["data"]["logout"]


def test_swagger_authorizes_and_reads_there(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/docs")
    page.get_by_role("button", name="Authorize").first.click()
    form = page.locator(".auth-container").filter(has_text="Flow: password")
    form.get_by_label("username:").fill("ada")
    form.get_by_label("password:").fill("analytical engine")
    form.get_by_role("button", name="Apply given OAuth2 credentials").click()
    expect(form.get_by_text("Authorized")).to_be_visible()
    form.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="GET /userinfo").first.click()
    with page.expect_response("**/accounts/userinfo") as response:
        page.get_by_role("button", name="Execute").click()

    assert response.value.json()["email"] == "ada@example.com"


def test_the_account_pages_work_there(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/account/sessions")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Email").fill("grace@example.com")
    page.get_by_label("Password", exact=True).fill("nanoseconds of wire")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("This device")).to_be_visible()
    assert urlsplit(page.url).path == "/accounts/account/sessions"
    page.reload()
    expect(page.get_by_text("This device")).to_be_visible()
    page.get_by_role("link", name="Profile").click()
    expect(page.get_by_label("Username")).to_have_value("grace")
    received = frames_of(page)
    with page.expect_websocket() as socket:
        page.goto(f"{server.url}/account")
    expect(page.get_by_label("Username")).to_have_value("grace")
    wait_for_frame(page, received, '"next"')
    assert urlsplit(socket.value.url).path == "/accounts/graphql"
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a picture").click()
    chooser.value.set_files(FilePayload(name="grace.png", mimeType="image/png", buffer=PNG))
    page.get_by_role("button", name="Save", exact=True).click()
    picture = page.get_by_role("img", name="Your picture")
    expect(picture).to_have_js_property("naturalWidth", 256)

    assert (picture.get_attribute("src") or "").startswith(f"{server.url}/pictures/")
    assert urlsplit(page.url).path == "/accounts/account/profile"
