"""The account pages of a server that accepts only trusted documents."""

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from browser.account.steps import PAGES, log_in, notice, open_page, password
from browser.frames import frames_of
from browser.sign_up import sign_up
from tests.conftest import SECRET_KEY
from tests.servers import Server, running_server, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("trusted")
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps({"name": "{ __typename }"}))
    settings = {"TRUSTED_DOCUMENTS": str(manifest), "TRUSTED_DOCUMENTS_ONLY": "true"}
    url = f"sqlite:///{folder / 'gatehouse.db'}"
    with running_server(url, SECRET_KEY, folder, **settings) as server:
        yield server


def test_their_documents_are_trusted(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    for title in PAGES:
        open_page(page, title)
    page.get_by_role("button", name="Sign out").click()
    expect(notice(page)).to_have_text("You are signed out.")
    log_in(page, name)
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()

    other = httpx.post(f"{server.url}/graphql", json={"query": "{ me { id } }"})
    assert other.json()["errors"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"
    wait_until(lambda: "DOCUMENT_NOT_TRUSTED" in server.logged())
    assert server.logged().count("DOCUMENT_NOT_TRUSTED") == 1


def test_their_subscriptions_are_trusted(page: Page, server: Server, name: str) -> None:
    sign_up(page, name)
    received = frames_of(page)
    other = page.context.new_page()
    page.goto("/account/sessions")
    expect(page.get_by_text("This device")).to_be_visible()
    other.goto("/account/password")
    password(other, "New password").fill("difference engine")
    other.get_by_role("button", name="Change password").click()
    expect(notice(other)).to_be_visible()
    open_page(page, "Security events")

    expect(page.get_by_text("Password changed")).to_be_visible()
    assert received
    assert [one for one in received if "DOCUMENT_NOT_TRUSTED" in one] == []
