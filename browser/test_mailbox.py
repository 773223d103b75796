"""The mailbox, and the mails in it, as Chromium shows them."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy.ext.asyncio import create_async_engine

from db.database import Database
from domain import outbox, tickets
from domain.mail import Template
from domain.mail.preview import SAMPLES
from domain.outbox import OutboxKind
from domain.tickets import TicketKind
from tests.conftest import SECRET_KEY
from tests.mail_proofs import DATA_KEY
from tests.servers import Server, running_server

PHONE = {"viewport": {"width": 360, "height": 740}}
DARK = {"color_scheme": "dark"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with every mail in both languages."""
    folder = tmp_path_factory.mktemp("mailbox")
    file = folder / "gatehouse.db"
    with running_server(f"sqlite:///{file}", SECRET_KEY, folder, DATA_KEY=DATA_KEY) as server:
        # Playwright's event loop runs in this thread.
        with ThreadPoolExecutor() as pool:
            pool.submit(asyncio.run, put_mails(f"sqlite+aiosqlite:///{file}")).result()
        yield server


async def put_mails(url: str) -> None:
    database = Database(create_async_engine(url))
    async with database.writing() as session:
        ticket = tickets.create(
            session, TicketKind.EMAIL_VERIFICATION, lifetime=timedelta(minutes=15)
        ).ticket
        for language in ("de", "en"):
            for template, values in SAMPLES.items():
                payload = {
                    "template": template,
                    "to": "ada@example.com",
                    "language": language,
                    "ticket": tickets.reference(ticket),
                    "values": values,
                }
                outbox.add(
                    session,
                    OutboxKind.MAIL,
                    payload,
                    expires_at=datetime.now(UTC) + timedelta(hours=1),
                    is_done=True,
                )
    await database.close()


@pytest.fixture(params=[{}, DARK, PHONE, {**PHONE, **DARK}], ids=["", "dark", "phone", "both"])
def page_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"viewport": {"width": 1280, "height": 800}, **request.param}


def is_too_wide(page: Page) -> bool:
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wide


def test_the_mailbox_lists_mails_and_opens_one(page: Page) -> None:
    page.goto("/mailbox")
    expect(page.get_by_role("listitem")).to_have_count(len(Template) * 2)
    assert not is_too_wide(page)
    page.get_by_role("link", name="Confirm your email address").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm your email address")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("link", name="Confirm email")).to_be_visible()
    assert not is_too_wide(page)
    page.get_by_text("Source").click()
    expect(page.get_by_text("Auto-Submitted: auto-generated")).to_be_visible()


@pytest.mark.parametrize("page_options", [{}], indirect=True)
def test_a_link_of_the_text_works(page: Page, server: Server, pictures: Path) -> None:
    page.goto("/mailbox")
    page.get_by_role("link", name="Confirm your email address").click()
    expect(page.frame_locator("iframe").get_by_role("link", name="Confirm email")).to_be_visible()
    page.screenshot(path=pictures / "mailbox-message.png", full_page=True)
    link = page.locator("pre a").first.get_attribute("href")

    assert link is not None
    assert link.startswith(f"{server.url}/account/verify-email#token=")


@pytest.mark.parametrize("page_options", [PHONE], indirect=True)
def test_every_mail_fits_a_phone(page: Page) -> None:
    page.goto("/mailbox")
    for address in [link.get_attribute("href") for link in page.get_by_role("link").all()]:
        page.goto(f"/{address}")
        document = page.locator("iframe").get_attribute("srcdoc")
        assert document
        page.set_content(document)
        assert not is_too_wide(page), page.title()
