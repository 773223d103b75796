"""The mailbox at /mailbox: what a development server would send if MAIL_URL were set."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from api.dependencies import app_state, services
from api.mail import render_row
from api.middleware.cors import SAME_ORIGIN
from api.pages import Page
from api.routes import Route
from db.models import OutboxRow
from domain import outbox
from domain.mail.render import part_of
from domain.outbox import OutboxKind
from settings import Settings

if TYPE_CHECKING:
    from jinja2 import Environment

LIMIT = 50

_TEMPLATES = Path(__file__).parent / "templates"

# The frame of a message inherits this policy, and mails have inline styles.
_POLICY = {
    "default-src": "'none'",
    "style-src": "'unsafe-inline'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}

_LINK = re.compile(r"(https?://\S+)")


def is_on(settings: Settings) -> bool:
    """Return whether there is a mailbox: anyone who can reach the server can read it."""
    return settings.environment == "development" and settings.mail_url is None


def routes(*, has_key: bool) -> list[BaseRoute]:
    """Return the routes of the list and of one message."""

    async def show_list(request: Request) -> Response:
        async with services(request).database.reading() as session:
            rows = await outbox.newest(session, OutboxKind.MAIL, limit=LIMIT)
        messages = [_Shown.of(request, row) for row in rows]
        return _page("mailbox.html", messages=messages, limit=LIMIT, has_key=has_key)

    async def show_message(request: Request) -> Response:
        async with services(request).database.reading() as session:
            row = await outbox.find(session, OutboxKind.MAIL, request.path_params["id"])
        if row is None:
            raise HTTPException(404)
        return _page("mailbox_message.html", message=_Shown.of(request, row))

    return [Route("/mailbox", show_list), Route("/mailbox/{id:uuid}", show_message)]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A message as the pages show it."""

    id: UUID
    made_at: datetime
    message: EmailMessage

    @classmethod
    def of(cls, request: Request, row: OutboxRow) -> Self:
        return cls(row.id, row.created_at, _render(request, row))

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def sender(self) -> str:
        return str(self.message["From"])

    @property
    def to(self) -> str:
        return str(self.message["To"])

    @property
    def html(self) -> str:
        return part_of(self.message, "html")

    @property
    def text_with_links(self) -> list[tuple[str, bool]]:
        """The text in pieces, each with whether it is a link."""
        pieces = _LINK.split(part_of(self.message, "plain"))
        return [(piece, number % 2 == 1) for number, piece in enumerate(pieces)]

    @property
    def source(self) -> str:
        return bytes(self.message).decode("ascii", "replace").replace("\r\n", "\n")


def _render(request: Request, row: OutboxRow) -> EmailMessage:
    state = app_state(request)
    try:
        return render_row(state.mail_renderer, state.services.data_keys, row)
    # The list shows the other messages, and this one shows its developer what is missing.
    except Exception as error:
        message = EmailMessage()
        message["Subject"] = " ".join(f"Not rendered: {type(error).__name__}: {error}".split())
        message["To"] = " ".join(str(row.payload.get("to")).split())
        message.set_content(json.dumps(row.payload, indent=2))
        return message


def _page(template: str, **values: object) -> Response:
    """Return a page for this origin alone: it has links that reset passwords, and any website could
    read it in a developer's browser if CORS_ORIGINS is `*`."""
    page = Page.of(_environment().get_template(template).render(values), _POLICY).response()
    page.raw_headers.append(SAME_ORIGIN)
    return page


@cache
def _environment() -> "Environment":
    # Imported here: production has no mailbox.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
