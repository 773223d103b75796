"""Write mail into the outbox."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from db.models import User
from domain import outbox
from domain.data_keys import DataKeys
from domain.mail.templates import Template
from domain.outbox import OutboxKind

# How long a mail that reports something is tried to be sent (RFC 5321 section 4.5.4.1).
NOTICE_LIFETIME = timedelta(days=4)

#: The options of a statement that selects a user to write to.
RECIPIENT = (undefer(User.email_undeliverable_at),)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone to write to at an address that no account has."""

    email: str
    locale: str | None = None
    email_undeliverable_at: None = None


@dataclass(frozen=True, slots=True)
class Mailer:
    """Mail that is on. Without a server (``has_server``) it is kept to be shown, and never sent.

    ``keys`` make the tokens and codes of the mails.
    """

    keys: DataKeys = field(repr=False)
    has_server: bool

    def add(
        self,
        session: AsyncSession,
        template: Template,
        user: User | Recipient | None,
        *,
        lifetime: timedelta,
        ticket: str | None = None,
        values: dict[str, Any],
    ) -> None:
        """Add a mail to the transaction.

        The transaction is the same without a user, and for one whose address does not exist: it
        adds a message that is empty and never sent, so that the time reveals nothing.
        """
        payload: dict[str, Any] = {}
        if user is not None and user.email_undeliverable_at is None:
            payload = {
                "template": template,
                "to": user.email,
                "language": user.locale,
                "ticket": ticket,
                "values": values,
            }
        now = datetime.now(UTC)
        outbox.add(
            session,
            OutboxKind.MAIL,
            payload,
            expires_at=now + lifetime,
            is_done=not payload or not self.has_server,
        )
