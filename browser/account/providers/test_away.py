"""Providers that are away. Other ways to sign in work all the same."""

import re
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from browser.account.factors.steps import sign_out
from browser.account.steps import log_in
from browser.sign_up import sign_up
from clients.openid_provider import provider_settings
from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.servers import TIMEOUT_SECONDS, Server, free_port, running_server

SENTENCE = re.compile(r"The sign-in with (Gone|Silent) is not available at the moment\. Try again")


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """Yield the issuer of a provider that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def server(
    database_url: str, silent: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    issuers = {"gone": f"http://127.0.0.1:{free_port()}", "silent": silent}
    settings = {
        f"{key.replace('WORK', name.upper())}": value
        for name, issuer in issuers.items()
        for key, value in provider_settings(issuer).items()
    }
    settings |= {"PROVIDERS": ",".join(issuers), "DATA_KEY": DATA_KEY}
    folder = tmp_path_factory.mktemp("away")
    with running_server(database_url, SECRET_KEY, folder, **settings) as server:
        yield server


@pytest.fixture
def origins(server: Server) -> tuple[str, ...]:
    return (server.url,)


@pytest.mark.parametrize("provider", ["Gone", "Silent"])
def test_the_page_says_so_and_a_password_signs_in(page: Page, provider: str, name: str) -> None:
    sign_up(page, name)
    sign_out(page)
    page.get_by_role("button", name=f"Continue with {provider}").click()
    expect(page.get_by_text(SENTENCE)).to_be_visible(timeout=TIMEOUT_SECONDS * 1000)
    log_in(page, name)

    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
