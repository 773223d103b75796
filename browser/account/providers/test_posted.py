"""A provider that posts its answer from its own page, and one that changes its keys."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.account.factors.steps import sign_out
from browser.account.providers.steps import leave, log_in_there, sign_up_by_provider
from clients.openid_provider import callback_of, openid_provider, provider_settings
from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.paths import ROOT
from tests.servers import Server, free_port, running_server


@pytest.fixture(scope="module")
def issuer() -> str:
    """Return the issuer of a provider that each test starts."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def server(
    database_url: str, issuer: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    port = str(free_port())
    uvicorn = (sys.executable, "-m", "uvicorn", "--app-dir", str(ROOT), "--port", port)
    command = (*uvicorn, "--factory", "browser.account.providers.app:create_app")
    settings = {"PORT": port, "DATA_KEY": DATA_KEY, **provider_settings(issuer)}
    folder = tmp_path_factory.mktemp("posted")
    with running_server(database_url, SECRET_KEY, folder, command, **settings) as server:
        yield server


def test_a_posted_answer_signs_in_also_when_the_keys_have_changed(
    page: Page, server: Server, issuer: str, tmp_path: Path, name: str
) -> None:
    posted: list[str] = []
    page.on(
        "request", lambda sent: posted.append(sent.url) if sent.is_navigation_request() else None
    )
    port, callback = int(issuer.rpartition(":")[2]), callback_of(int(server.url.rpartition(":")[2]))
    with openid_provider(tmp_path, callback, port=port):
        sign_up_by_provider(page, name)
        sign_out(page)
    with openid_provider(tmp_path, callback, port=port):
        leave(page)
        log_in_there(page, name)
        expect(page.get_by_role("heading", name="Profile")).to_be_visible()

    # Without a query: the parameters are in the body.
    assert posted.count(callback) == 2
