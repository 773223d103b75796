"""Rendering mails in tests."""

from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.mail import MailRenderer, Template
from domain.mail.brand import Brand
from domain.mail.preview import SAMPLES
from domain.mail.render import part_of
from domain.mail.templates import Templates

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
