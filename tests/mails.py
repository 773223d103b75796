"""Rendering mails in tests."""

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI

from api.mail import render_row
from domain.mail import MailRenderer, Template
from domain.mail.brand import Brand
from domain.mail.preview import SAMPLES
from domain.mail.render import part_of
from domain.mail.templates import Templates
from tests.outboxes import rows

#: The six digits of a mail.
CODE = re.compile(r"^ +(\d{6})$", re.MULTILINE)

ID = UUID("01938f2b-6c1e-7a3d-9a51-0f0f0f0f0f0f")
# Compiled once for all tests.
OURS = Templates()

DATE = datetime(2026, 11, 25, 14, 5, tzinfo=UTC)


def renderer(
    *,
    sender: str = "accounts@example.com",
    brand: Brand | None = None,
    pages: str = "https://app.example.com",
    folder: Path | None = None,
) -> MailRenderer:
    return MailRenderer(sender, pages, brand or Brand(), Templates(folder) if folder else OURS)


def rendered(
    template: str = Template.VERIFY_EMAIL,
    values: dict[str, Any] | None = None,
    *,
    by: MailRenderer | None = None,
    to: str = "ada@example.com",
    language: str | None = "en",
    token: str | None = "a-token",
    code: str | None = "482913",
) -> EmailMessage:
    payload = {
        "template": template,
        "to": to,
        "language": language,
        "values": {**SAMPLES[Template(template)], **(values or {})},
    }
    return (by or renderer()).render(payload, id=ID, date=DATE, token=token, code=code)


def text(message: EmailMessage) -> str:
    return part_of(message, "plain")


def html(message: EmailMessage) -> str:
    return part_of(message, "html")


async def texts_to(app: FastAPI, email: str) -> list[str]:
    """Return the mails of an app to an address, as their reader sees them, the oldest first."""
    state = app.state.gatehouse
    return [
        text(render_row(state.mail_renderer, state.services.data_keys, row))
        for row in await rows(state.services.database)
        if row.payload.get("to") == email
    ]


async def mailed(app: FastAPI, what: re.Pattern[str], email: str) -> str:
    """Return the newest code or token that was mailed to an address."""
    found = [match[1] for text in await texts_to(app, email) if (match := what.search(text))]
    return found[-1]
