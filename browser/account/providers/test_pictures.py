"""The pictures of sign-ins with a provider in the documentation.

Of three providers, the one of the company is that of the other tests.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.account.looks import in_picture
from browser.account.providers.steps import leave, linked, log_in_there, username
from browser.sign_up import sign_up
from clients.openid_provider import CLIENT_ID, CLIENT_SECRET, callback_of, openid_provider
from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.servers import Server, free_port, running_server

LABELS = {"google": "Google", "github": "GitHub", "work": "Example Company"}


@pytest.fixture(params=["light", "dark", "phone"])
def look(request: pytest.FixtureRequest) -> str:
    look: str = request.param
    return look


@pytest.fixture
def page_options(look: str) -> dict[str, Any]:
    return in_picture(look, height=900)


@pytest.fixture(scope="module")
def server_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def issuer(server_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("provider")
    with openid_provider(folder, callback_of(server_port)) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def server(
    database_url: str,
    server_port: int,
    issuer: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    settings = {"PROVIDERS": ",".join(LABELS), "PROVIDER_WORK_ISSUER": issuer}
    for name, label in LABELS.items():
        settings[f"PROVIDER_{name.upper()}_CLIENT_ID"] = CLIENT_ID
        settings[f"PROVIDER_{name.upper()}_CLIENT_SECRET"] = CLIENT_SECRET
        settings[f"PROVIDER_{name.upper()}_LABEL"] = label
    settings |= {"PORT": str(server_port), "DATA_KEY": DATA_KEY}
    folder = tmp_path_factory.mktemp("pictures")
    with running_server(database_url, SECRET_KEY, folder, **settings) as server:
        yield server


def test_they_are_taken(page: Page, look: str, pictures: Path, tmp_path: Path) -> None:
    name = {"light": "hedy", "dark": "karen", "phone": "radia"}[look]

    folder = pictures if look == "light" else tmp_path

    def take(path: Path, of: Page | Locator = page) -> None:
        page.evaluate("document.activeElement.blur()")
        of.screenshot(path=path)

    page.goto("/account/login")
    expect(page.get_by_role("button", name="Continue with GitHub")).to_be_visible()
    take(folder / "account-providers.png")
    leave(page, "Continue with Example Company")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("You cancelled the sign-in")).to_be_visible()
    take(tmp_path / "failure.png")
    leave(page, "Continue with Example Company")
    log_in_there(page, f"{name}.1", f"{name}@example.com")
    expect(username(page)).to_be_visible()
    take(tmp_path / "finish-sign-in.png")
    page.get_by_role("button", name="Sign in another way").click()
    sign_up(page, name)
    page.goto("/account/security")
    page.get_by_role("button", name="Link Example Company").click()
    expect(linked(page)).to_have_count(1)
    page.reload()
    expect(linked(page)).to_have_count(1)
    take(folder / "account-linked-accounts.png", page.get_by_role("region", name="Linked accounts"))
