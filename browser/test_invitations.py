"""Signing up where accounts are created by invitation, with the mailbox of development."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from api.services import create_app_state
from browser.axe import problems
from browser.mailbox import mailed
from browser.sign_up import PASSWORD
from domain import admin
from domain.devices import Device
from domain.roles import OPERATOR, Role
from tests.conftest import SECRET_KEY, settings_for
from tests.mail_proofs import DATA_KEY
from tests.servers import Server, running_server

INVITATION = "You are invited to create an account"


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('invitations') / 'gatehouse.db'}"


@pytest.fixture(scope="module")
def server(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    variables = {"DATA_KEY": DATA_KEY, "REGISTRATION": "invite"}
    with running_server(database_url, SECRET_KEY, folder, **variables) as server:
        yield server


def invite(database_url: str, server: Server, email: str) -> None:
    operate(database_url, server, partial(admin.invite, email=email))


def operate(database_url: str, server: Server, command: Callable[..., Awaitable[object]]) -> None:
    """Run a command of the domain as the operator."""
    settings = settings_for(database_url, data_key=DATA_KEY, public_url=server.url)
    services = create_app_state(settings).services

    async def work() -> None:
        await command(services, Device.of(None), OPERATOR)
        await services.close()

    # The event loop of Playwright runs in this thread.
    with ThreadPoolExecutor() as pool:
        pool.submit(lambda: asyncio.run(work())).result()


def test_an_invitation_leads_to_an_account(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    invite(database_url, server, f"{name}+1@example.com")
    _, link = mailed(page, f"{name}+1@example.com", INVITATION)
    page.goto(link)
    expect(page.get_by_label("Email")).to_have_value(f"{name}+1@example.com")
    expect(page).to_have_url(f"{server.url}/account/sign-up")
    assert problems(page) == []

    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    expect(page.get_by_text("Verified.")).to_be_visible()


def test_an_administrator_invites_on_the_pages(
    page: Page, server: Server, database_url: str, name: str
) -> None:
    email = f"{name}@example.com"
    create = partial(
        admin.create_account, username=name, email=email, password=PASSWORD, roles=[Role.ADMIN]
    )
    operate(database_url, server, create)
    page.goto("/account/login?return_to=/account/admin")
    page.get_by_label("Username or email").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    form = page.get_by_role("region", name="Invite someone")
    form.get_by_label("Email").fill(email)
    form.get_by_role("button", name="Send the invitation").click()
    expect(form.get_by_text("An account with this email already exists.")).to_be_visible()
    assert problems(page) == []

    form.get_by_label("Email").fill(f"{name}+2@example.com")
    form.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text(f"{name}+2@example.com is invited.")).to_be_visible()
    mailed(page, f"{name}+2@example.com", INVITATION)


def test_without_an_invitation_no_page_offers_to_sign_up(page: Page) -> None:
    page.goto("/account/login")
    expect(page.get_by_label("Username or email")).to_be_visible()
    expect(page.get_by_text("New here?")).to_have_count(0)

    page.goto("/account/sign-up")
    expect(page.get_by_text("Accounts are created by invitation only.")).to_be_visible()
    expect(page.get_by_label("Username")).to_have_count(0)
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_label("Username or email")).to_be_visible()


def test_a_wrong_invitation_is_explained(page: Page) -> None:
    page.goto(f"/account/sign-up#invitation={'A' * 64}&email=ada%40example.com")
    page.get_by_label("Username").fill("Ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    expect(page.get_by_role("alert")).to_contain_text(
        "This link is wrong, expired or already used."
    )
