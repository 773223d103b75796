"""`gatehouse mail`: see how mails look, test the mail server, and report mail that bounced."""

import asyncio
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import click

from api.database import create_engine_from
from api.mail import create_renderer
from cli.usage import examples
from db.database import Database
from domain import emails
from domain.ids import new_id
from domain.mail import MailRenderer, Template
from domain.mail.languages import LANGUAGES
from domain.mail.preview import Preview, previews
from domain.mail.render import part_of
from domain.mail.undeliverable import mark_undeliverable
from settings import Settings, load_settings


@click.group(
    no_args_is_help=False,
    epilog=examples(
        "gatehouse mail preview --language de --out mails",
        "gatehouse mail test ada@example.com",
        "gatehouse mail bounced ada@example.com",
    ),
)
def mail() -> None:
    """See how mails look, test the mail server, and report mail that bounced."""


@mail.command(
    epilog=examples("gatehouse mail preview", "gatehouse mail preview --language de --out mails")
)
@click.option(
    "--language", type=click.Choice(sorted(LANGUAGES)), help="Only the mails in this language."
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write each mail as .html, .txt and .eml into this folder.",
)
def preview(language: str | None, out: Path | None) -> None:
    """Render every mail with sample values, and with the templates of MAIL_TEMPLATES_DIR.

    Prints the texts, or writes the mails into a folder. Sends nothing.
    """
    mails = list(previews(_renderer(load_settings()), *([language] if language else [])))
    if out is None:
        print("\n\n".join(map(_as_text, mails)))
        return
    for mail in mails:
        _write(mail, out)
    print(f"Gatehouse: wrote {len(mails)} mails to {out}.")


@mail.command(epilog=examples("gatehouse mail test ada@example.com"))
@click.argument("address", metavar="ADDRESS")
def test(address: str) -> None:
    """Send a test message to ADDRESS.

    Sends it at once, by MAIL_URL. If the mail server does not accept it, prints its answer.
    """
    settings = load_settings()
    if settings.mail_url is None:
        raise SystemExit("gatehouse: MAIL_URL is not set")
    payload = {
        "template": Template.ACCOUNT_MAIL_TEST,
        "to": _parsed(address),
        "values": {"at": datetime.now(UTC).isoformat()},
    }
    message = _renderer(settings).render(payload, id=new_id(), date=datetime.now(UTC))
    _send(settings.mail_url.get_secret_value(), message)
    print(f"Gatehouse: the mail server accepted the message to {message['To']}.")


@mail.command(epilog=examples("gatehouse mail bounced ada@example.com"))
@click.argument("address", metavar="ADDRESS")
def bounced(address: str) -> None:
    """Send no more mail to ADDRESS.

    For an address whose mail came back. Its account gets mail again when its email changes.
    """
    if not asyncio.run(_mark_undeliverable(load_settings(), _parsed(address))):
        raise SystemExit("gatehouse: no account has this address")
    print("Gatehouse: nothing is sent to this address any more.")


def _renderer(settings: Settings) -> MailRenderer:
    try:
        return create_renderer(settings)
    except ValueError as error:
        raise SystemExit(f"gatehouse: {error}") from None


def _parsed(address: str) -> str:
    parsed = emails.parse(address)
    if parsed is None:
        raise SystemExit("gatehouse: ADDRESS must be an email address")
    return parsed.text


def _send(url: str, message: EmailMessage) -> None:
    # Imported here: it takes time, and no other command needs it.
    from aiosmtplib import SMTPException

    from domain.mail.send import answer_of, send_now
    from domain.mail.server import MailServer

    try:
        asyncio.run(send_now(MailServer.of(url), message, message["To"].addresses[0].addr_spec))
    except (OSError, SMTPException) as error:
        raise SystemExit(f"gatehouse: the mail server cannot be used: {answer_of(error)}") from None


async def _mark_undeliverable(settings: Settings, address: str) -> bool:
    database = Database(create_engine_from(settings))
    try:
        return await mark_undeliverable(database, address)
    finally:
        await database.close()


def _as_text(mail: Preview) -> str:
    title = f"{mail.language}/{mail.template}: {mail.message['Subject']}"
    return f"{title}\n{'=' * len(title)}\n\n{part_of(mail.message, 'plain')}"


def _write(mail: Preview, out: Path) -> None:
    folder = out / mail.language
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, content in (
        ("html", part_of(mail.message, "html").encode()),
        ("txt", part_of(mail.message, "plain").encode()),
        ("eml", bytes(mail.message)),
    ):
        (folder / f"{mail.template}.{suffix}").write_bytes(content)
