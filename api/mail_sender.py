"""The sender of mail, made of the settings."""

from email.message import EmailMessage
from typing import TYPE_CHECKING

from db.database import Database
from db.models import OutboxRow
from domain import tickets
from domain.data_keys import DataKeys
from domain.mail import MailRenderer
from domain.observer import Observer
from settings import Settings

if TYPE_CHECKING:
    from domain.mail.send import Sender


def create_sender(
    settings: Settings, database: Database, renderer: MailRenderer, observer: Observer
) -> "Sender | None":
    """Create the sender, or return None without MAIL_URL."""
    keys = data_keys(settings)
    if settings.mail_url is None or keys is None:
        return None
    # Imported here: aiosmtplib takes time, and only this needs it.
    from domain.mail.send import Sender
    from domain.mail.server import MailServer

    def render(row: OutboxRow) -> EmailMessage:
        reference = row.payload.get("ticket")
        token, code = tickets.proofs(keys, reference) if reference else (None, None)
        return renderer.render(row.payload, id=row.id, date=row.created_at, token=token, code=code)

    server = MailServer.of(settings.mail_url.get_secret_value())
    return Sender(database, server, render, observer)


def data_keys(settings: Settings) -> DataKeys | None:
    """Return the data keys, or None without DATA_KEY."""
    if settings.data_key is None:
        return None
    return DataKeys(
        settings.data_key.get_secret_value(),
        tuple(key.get_secret_value() for key in settings.data_key_fallbacks),
    )
