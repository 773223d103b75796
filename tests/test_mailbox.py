"""The mailbox at /mailbox of a development server. `browser/test_mailbox.py` looks at it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.mailbox import LIMIT
from domain import outbox, tickets
from domain.data_keys import DataKeys
from domain.mail import Template
from domain.mail.preview import SAMPLES
from domain.outbox import OutboxKind
from domain.services import Services
from domain.tickets import TicketKind
from tests.conftest import client_of, settings_for
from tests.mail_proofs import DATA_KEY


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


async def put(
    services: Services, template: str, *, has_ticket: bool = True, **values: object
) -> UUID:
    """Put a notice into the outbox."""
    async with services.database.writing() as session:
        new = tickets.create(session, TicketKind.ACCOUNT_SECURITY, lifetime=timedelta(days=4))
        payload = {
            "template": template,
            "to": "ada@example.com",
            "language": "en",
            "ticket": tickets.reference(new.ticket) if has_ticket else None,
            "values": {**SAMPLES[Template.NEW_SIGN_IN], **values},
        }
        row = outbox.add(
            session,
            OutboxKind.MAIL,
            payload,
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            is_done=True,
        )
        return row.id


async def put_reset(services: Services) -> tuple[UUID, str]:
    """Put the mail of a ticket into the outbox. Return its id, and the token of the ticket."""
    async with services.database.writing() as session:
        ticket = tickets.create(
            session, TicketKind.PASSWORD_RESET, lifetime=timedelta(minutes=15)
        ).ticket
        reference = tickets.reference(ticket)
        row = outbox.add(
            session,
            OutboxKind.MAIL,
            {
                "template": "reset_password",
                "to": "ada@example.com",
                "language": "de",
                "ticket": reference,
                "values": {"expires_in": 900},
            },
            expires_at=ticket.expires_at,
            is_done=True,
        )
        return row.id, tickets.token(DataKeys(DATA_KEY), TicketKind.PASSWORD_RESET, ticket.id)


async def test_an_empty_mailbox_says_so(client: httpx.AsyncClient) -> None:
    response = await client.get("/mailbox")

    assert response.status_code == 200
    assert "There is no mail yet." in response.text


async def test_the_newest_mails_come_first(client: httpx.AsyncClient, services: Services) -> None:
    ids = [await put(services, "password_changed") for _ in range(LIMIT + 1)]

    listed = re.findall(r'href="mailbox/([^"]+)"', (await client.get("/mailbox")).text)

    assert listed == [str(id) for id in reversed(ids[1:])]


async def test_the_list_has_subject_address_and_time(
    client: httpx.AsyncClient, services: Services
) -> None:
    await put(services, "new_sign_in", device=None, ip=None)

    page = (await client.get("/mailbox")).text

    assert ">New sign-in to your account<" in page
    assert ">ada@example.com<" in page
    assert re.search(r'<time class="quiet" datetime="20\d\d-', page)


async def test_a_mail_has_its_html_its_text_and_its_source(
    client: httpx.AsyncClient, services: Services
) -> None:
    id, token = await put_reset(services)

    page = (await client.get(f"/mailbox/{id}")).text

    frame = re.search(r'<iframe class="part" sandbox srcdoc="([^"]*)"', page)
    assert frame
    assert unescape(frame[1]).startswith("<!DOCTYPE html>")
    link = f"http://127.0.0.1:8000/account/reset-password#token={token}"
    assert f'href="{link}"' in unescape(frame[1])
    assert f'<a href="{link}">{link}</a>' in page
    assert f"Message-ID: &lt;{id}@localhost&gt;" in page
    assert "<h1>Setzen Sie Ihr Passwort zurück</h1>" in page


async def test_values_are_escaped(client: httpx.AsyncClient, services: Services) -> None:
    id = await put(services, "new_sign_in", device=None, ip='"><script>x</script>')

    page = (await client.get(f"/mailbox/{id}")).text

    assert "<script" not in page
    assert "&amp;lt;script&amp;gt;" in page  # escaped in the mail, and again for the frame


async def test_the_pages_run_no_script_and_load_nothing(
    client: httpx.AsyncClient, services: Services
) -> None:
    id = await put(services, "password_changed")

    for path in ("/mailbox", f"/mailbox/{id}"):
        response = await client.get(path)
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; ")
        assert "script" not in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert "<script" not in response.text


async def test_no_other_origin_can_read_it_whatever_cors_allows(database_url: str) -> None:
    app = create_app(settings_for(database_url, data_key=DATA_KEY, cors_origins="*"))
    async with app.router.lifespan_context(app), client_of(app) as client:
        id = await put(app.state.gatehouse.services, "password_changed")
        origin = {"Origin": "https://evil.example"}
        pages = [await client.get(path, headers=origin) for path in ("/mailbox", f"/mailbox/{id}")]

    for page in pages:
        assert page.status_code == 200
        assert page.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert not [name for name in page.headers if name.startswith("access-control-")]


async def test_a_mail_that_was_sent_is_not_listed(
    client: httpx.AsyncClient, services: Services
) -> None:
    """Its payload is gone: MAIL_URL was set before."""
    async with services.database.writing() as session:
        outbox.add(session, OutboxKind.MAIL, {}, expires_at=datetime.now(UTC), is_done=True)

    assert "There is no mail yet." in (await client.get("/mailbox")).text


async def test_a_mail_that_cannot_be_rendered_says_why(
    client: httpx.AsyncClient, services: Services
) -> None:
    await put(services, "password_changed")
    id = await put(services, "reset_password", has_ticket=False)

    page = (await client.get("/mailbox")).text
    assert "Not rendered: TemplateError: en/reset_password.txt, line 5: " in page
    assert "Your password was changed" in page
    page = (await client.get(f"/mailbox/{id}")).text
    assert "<iframe" not in page
    assert "&#34;template&#34;: &#34;reset_password&#34;" in page


@pytest.mark.parametrize("id", ["01938f2b-6c1e-7a3d-9a51-0f0f0f0f0f0f", "x", "1"])
async def test_an_unknown_mail_is_not_found(client: httpx.AsyncClient, id: str) -> None:
    assert (await client.get(f"/mailbox/{id}")).status_code == 404


async def test_without_a_data_key_the_page_says_what_to_do(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert "DATA_KEY is not set" in (await client.get("/mailbox")).text


@pytest.mark.parametrize(
    "others",
    [
        {"environment": "production"},
        {"mail_url": "smtp://127.0.0.1:2525", "mail_from": "accounts@example.com"},
    ],
)
@pytest.mark.parametrize("path", ["/mailbox", "/mailbox/01938f2b-6c1e-7a3d-9a51-0f0f0f0f0f0f"])
async def test_there_is_no_mailbox_in_production_and_none_where_mail_is_sent(
    database_url: str, others: dict[str, str], path: str
) -> None:
    settings = settings_for(database_url, data_key=DATA_KEY, **others)
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        assert (await client.get(path)).status_code == 404
