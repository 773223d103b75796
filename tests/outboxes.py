"""Rows of the outbox, and a sender, for tests."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

from sqlalchemy import select, update

from db.database import Database
from db.models import OutboxRow
from domain import outbox
from domain.mail.send import Sender
from domain.mail.server import Encryption, MailServer
from domain.outbox import OutboxKind


def render(row: OutboxRow) -> EmailMessage:
    """Render a short message, and fail for a row that says so."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Example <accounts@example.com>"
    message["To"] = row.payload["to"]
    message["Subject"] = row.payload["subject"]
    message["Message-ID"] = f"<{row.id}@example.com>"
    message.set_content("Hello")
    return message


def sender_to(port: int, database: Database) -> Sender:
    return Sender(database, MailServer("127.0.0.1", port, Encryption.NONE), render)


async def add_mails(
    database: Database,
    count: int = 1,
    *,
    to: str = "ada@example.com",
    lifetime: timedelta = timedelta(hours=1),
) -> None:
    async with database.writing() as session:
        for n in range(count):
            outbox.add(
                session,
                OutboxKind.MAIL,
                {"to": to, "subject": str(n)},
                expires_at=datetime.now(UTC) + lifetime,
            )


async def rows(database: Database) -> list[OutboxRow]:
    async with database.reading() as session:
        return list(await session.scalars(select(OutboxRow).order_by(OutboxRow.id)))


async def row(database: Database) -> OutboxRow:
    [only] = await rows(database)
    return only


async def let_pass(database: Database, by: timedelta) -> None:
    """Let time pass by the clock of the database, which a test cannot move."""
    async with database.writing() as session:
        for one in await session.scalars(select(OutboxRow)):
            one.due_at -= by
            one.expires_at -= by
            if one.lease_until:
                one.lease_until -= by


async def make_due(database: Database) -> None:
    """Let the time pass until every mail is due and no lease lasts."""
    async with database.writing() as session:
        await session.execute(update(OutboxRow).values(due_at=datetime.now(UTC), lease_until=None))
