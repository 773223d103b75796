"""Send the mail of the outbox."""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from db.database import Database
from db.models import OutboxRow
from domain import emails, outbox
from domain.mail.server import MailServer
from domain.mail.undeliverable import mark_undeliverable, undeliverable_among
from domain.observer import SILENT, DeliveryOutcome, Observer
from domain.outbox import OutboxKind, Queue

logger = logging.getLogger("gatehouse")

# Of all commands for one mail.
MAIL_TIMEOUT = timedelta(seconds=20)

QUEUE = Queue(
    OutboxKind.MAIL,
    # The last one repeats until the mail expires (RFC 5321 section 4.5.4.1).
    backoff=(
        timedelta(seconds=10),
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(hours=1),
    ),
    repeats=True,
)

# No mailbox of this name: RFC 5321 section 4.2.3. Servers also use the code for what they do not
# relay or take for spam, with a status of 5.7 (RFC 3463 section 3.8), which says nothing about the
# address.
_NO_MAILBOX = 550
_POLICY = "5.7."

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")

Render = Callable[[OutboxRow], EmailMessage]


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends mail by one server. ``render`` makes the message of a row. It must give a row the same
    Message-ID each time, so that a mail that is sent twice is shown once."""

    database: Database
    server: MailServer
    render: Render
    observer: Observer = SILENT

    async def send_due(self) -> None:
        """Send what is due, until nothing is or the server cannot be used."""
        await outbox.send_due(self.database, QUEUE, self._send_claimed, self.observer.mail_waits)

    async def _send_claimed(self, claimed: Sequence[OutboxRow], lease_ends: float) -> bool:
        rows = await self._give_up_undeliverable(claimed)
        return not rows or await self._send_batch(rows, lease_ends)

    async def _give_up_undeliverable(self, claimed: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Give up what is for mailboxes that do not exist, and return the rest. Servers block a
        sender that keeps trying them."""
        # Another release may write another payload. It fails in `_send`, where it is one of many.
        to = {row.id: emails.key(str(row.payload.get("to"))) or "" for row in claimed}
        async with self.database.reading() as session:
            marked = await undeliverable_among(session, set(to.values()))
        for row in claimed:
            if to[row.id] in marked:
                await self._give_up(row, "undeliverable")
        return [row for row in claimed if to[row.id] not in marked]

    async def _send_batch(self, rows: Sequence[OutboxRow], lease_ends: float) -> bool:
        """Send by one connection. Return whether the server can be used for more."""
        try:
            smtp = await self.server.connect()
        except (OSError, SMTPException) as error:
            logger.warning("The mail server cannot be used: %s.", _text(error))
            for row in rows:
                await self._retry_later(row, _text(error))
            return False
        try:
            await outbox.send_each(
                self.database,
                rows,
                partial(self._send, smtp),
                can_send=lambda: smtp.is_connected and outbox.has_time(lease_ends, MAIL_TIMEOUT),
            )
            return smtp.is_connected
        finally:
            await _disconnect(smtp)

    async def _send(self, smtp: SMTP, row: OutboxRow) -> None:
        """Send and mark one mail. The connection is closed if it cannot be used afterwards."""
        if row.expires_at <= datetime.now(UTC):
            # It would be of no use any more.
            return await self._give_up(row, "expired")
        try:
            async with asyncio.timeout(MAIL_TIMEOUT.total_seconds()):
                await _hand_over(smtp, self.render(row), row.payload["to"])
        except SMTPRecipientsRefused as error:
            await self._rejected(row, error.recipients[0])
        except SMTPResponseException as error:
            await self._rejected(row, error)
        except Exception as error:
            # A template can fail in any way, and must not hold up the mail after it.
            if isinstance(error, OSError):
                smtp.close()
            logger.warning("Mail %s was not sent: %s.", row.id, _text(error))
            await self._retry_later(row, _text(error))
        else:
            await outbox.mark_done(self.database, row)
            self.observer.mail_ended(DeliveryOutcome.SENT)
        return None

    async def _rejected(self, row: OutboxRow, error: SMTPResponseException) -> None:
        """Give a mail up that was rejected for good (RFC 5321 section 4.2.1)."""
        logger.warning("Mail %s was rejected: %s.", row.id, _text(error))
        # A server that refuses the sender needs another setting, and takes the mail then.
        if error.code < 500 or isinstance(error, SMTPSenderRefused):
            return await self._retry_later(row, _text(error))
        if error.code == _NO_MAILBOX and not _status(error).startswith(_POLICY):
            await mark_undeliverable(self.database, row.payload["to"])
        return await self._give_up(row, _text(error))

    async def _retry_later(self, row: OutboxRow, error: str) -> None:
        await outbox.retry_later(self.database, QUEUE, row, error)
        self.observer.mail_ended(DeliveryOutcome.RETRIED)

    async def _give_up(self, row: OutboxRow, error: str) -> None:
        await outbox.give_up(self.database, QUEUE, row, error)
        self.observer.mail_ended(DeliveryOutcome.FAILED)


async def send_now(server: MailServer, message: EmailMessage, to: str) -> None:
    """Send one mail that is not in the outbox. Raises OSError or SMTPException."""
    smtp = await server.connect()
    try:
        await _hand_over(smtp, message, to)
    finally:
        await _disconnect(smtp)


def answer_of(error: Exception) -> str:
    """Return why a mail was not sent, in the words of the server, on one line."""
    if isinstance(error, SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, SMTPResponseException):
        return " ".join(f"{error.code} {error.message}".split())
    return " ".join(str(error).split()) or type(error).__name__


async def _hand_over(smtp: SMTP, message: EmailMessage, to: str) -> None:
    # Addresses of the envelope in ASCII, which every server takes, and not read out of a header.
    sender = message["From"].addresses[0].addr_spec
    recipient = emails.key(to)
    assert recipient is not None
    await smtp.send_message(message, sender=sender, recipients=[recipient])


async def _disconnect(smtp: SMTP) -> None:
    with suppress(OSError, SMTPException):
        await smtp.quit(timeout=1)
    smtp.close()


def _text(error: Exception) -> str:
    """Return an error without the server's words, which may quote the address."""
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {_status(error)}".strip()
    return type(error).__name__


def _status(error: SMTPResponseException) -> str:
    """Return the enhanced status code (RFC 2034), or an empty text."""
    found = _STATUS.match(error.message)
    return found[0] if found else ""
