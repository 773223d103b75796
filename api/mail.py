"""Mail, made of the settings: how it looks, and what sends it."""

from email.message import EmailMessage
from functools import partial
from typing import TYPE_CHECKING

from db.models import OutboxRow
from domain import tickets
from domain.data_keys import DataKeys
from domain.mail import MailRenderer
from domain.mail.brand import Brand
from domain.mail.mailer import Mailer
from domain.mail.preview import require_usable
from domain.mail.templates import Templates
from domain.services import Services
from settings import Settings

if TYPE_CHECKING:
    from domain.mail.send import Sender


def create_renderer(settings: Settings) -> MailRenderer:
    """Create the renderer. Raises ValueError, with one line, for templates that cannot be used."""
    folder = settings.mail_templates_dir
    renderer = MailRenderer(
        sender=settings.sender,
        pages=settings.links_url,
        brand=Brand(settings.brand_name, settings.brand_color),
        templates=Templates(folder),
    )
    if folder is not None:
        require_usable(renderer, folder)
    return renderer


def create_sender(
    settings: Settings, services: Services, renderer: MailRenderer
) -> "Sender | None":
    """Create the sender, or return None without MAIL_URL."""
    if settings.mail_url is None:
        return None
    # Imported here: aiosmtplib takes time, and only this needs it.
    from domain.mail.send import Sender
    from domain.mail.server import MailServer

    return Sender(
        services.database,
        MailServer.of(settings.mail_url.get_secret_value()),
        partial(render_row, renderer, services.data_keys),
        services.observer,
    )


def create_mailer(settings: Settings) -> Mailer | None:
    """Create what writes mail, or return None if it would neither be sent nor shown."""
    keys = create_data_keys(settings)
    if keys is None or not settings.mail_is_on:
        return None
    return Mailer(keys, has_server=settings.mail_url is not None)


def create_data_keys(settings: Settings) -> DataKeys | None:
    """Return the data keys, or None without DATA_KEY."""
    if settings.data_key is None:
        return None
    return DataKeys(
        settings.data_key.get_secret_value(),
        tuple(key.get_secret_value() for key in settings.data_key_fallbacks),
    )


def render_row(renderer: MailRenderer, keys: DataKeys | None, row: OutboxRow) -> EmailMessage:
    """Return the message of a row of the outbox. Its token and its code are computed here."""
    ticket = row.payload.get("ticket")
    token, code = tickets.proofs(keys, ticket) if keys and ticket else (None, None)
    return renderer.render(row.payload, id=row.id, date=row.created_at, token=token, code=code)
