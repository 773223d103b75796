"""`gatehouse mail`."""

import asyncio
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

from sqlalchemy import select

from db.models import User
from domain.mail import Template
from domain.services import Services
from tests.commands import Run, run
from tests.conftest import SECRET_KEY
from tests.mail_servers import Mailbox, mail_server
from tests.servers import free_port
from tests.users import RegisteredUser


def preview(folder: Path, *options: str, **settings: str) -> Run:
    return run(["mail", "preview", *options], folder, SECRET_KEY=SECRET_KEY, **settings)


def test_preview_prints_every_mail_in_every_language(tmp_path: Path) -> None:
    printed = preview(tmp_path)

    assert printed.status == 0
    assert printed.stderr == ""
    for template in Template:
        assert f"\nen/{template}: " in f"\n{printed.stdout}"
        assert f"\nde/{template}: " in f"\n{printed.stdout}"
    assert "en/verify_email: Confirm your email address\n====" in printed.stdout


def test_preview_takes_a_language(tmp_path: Path) -> None:
    printed = preview(tmp_path, "--language", "de").stdout

    assert "de/verify_email: Bestätigen Sie Ihre E-Mail-Adresse\n" in printed
    assert "en/" not in printed


def test_preview_has_the_brand_and_the_address_of_the_application(tmp_path: Path) -> None:
    printed = preview(tmp_path, BRAND_NAME="Example", APP_URL="https://app.example.com/x/").stdout

    assert "Your Example sign-in code" in printed
    assert "https://app.example.com/x/reset-password#token=" in printed


def test_without_app_url_links_lead_to_the_account_pages(tmp_path: Path) -> None:
    printed = preview(tmp_path, PUBLIC_URL="https://accounts.example.com/auth").stdout

    assert "https://accounts.example.com/auth/account/reset-password#token=" in printed


def test_preview_writes_three_files_for_each_mail(tmp_path: Path) -> None:
    written = preview(tmp_path, "--out", "mails")

    assert written.lines == ["Gatehouse: wrote 46 mails to mails."]
    assert len(list((tmp_path / "mails").glob("*/*"))) == 138
    folder = tmp_path / "mails" / "de"
    message = message_from_bytes((folder / "verify_email.eml").read_bytes(), policy=SMTP)
    assert message["Subject"] == "Bestätigen Sie Ihre E-Mail-Adresse"
    assert "<html" in (folder / "verify_email.html").read_text()
    assert "482913" in (folder / "verify_email.txt").read_text()


def test_a_folder_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "en").write_text("a file")

    ended = preview(tmp_path, "--out", "mails")

    assert (ended.status, ended.lines) == (1, ["gatehouse: mails/en: File exists"])


def test_preview_names_the_file_and_the_line_of_a_broken_template(tmp_path: Path) -> None:
    (tmp_path / "mails" / "de").mkdir(parents=True)
    (tmp_path / "mails" / "de" / "verify_email.txt").write_text("\n{% block %}")

    ended = preview(tmp_path, MAIL_TEMPLATES_DIR="mails")

    assert ended.status == 1
    (line,) = ended.lines
    assert line.startswith("gatehouse: MAIL_TEMPLATES_DIR: de/verify_email.txt, line 2: ")


async def send_test(folder: Path, to: str, **settings: str) -> Run:
    """Run `gatehouse mail test` in a thread: the mail server runs in this one."""
    return await asyncio.to_thread(
        run,
        ["mail", "test", to],
        folder,
        SECRET_KEY=SECRET_KEY,
        DATA_KEY="a data key for tests, and for nothing else but tests",
        MAIL_FROM="accounts@example.com",
        **settings,
    )


async def test_a_test_message_arrives(tmp_path: Path) -> None:
    async with mail_server() as mailbox:
        url = f"smtp://127.0.0.1:{mailbox.port}"
        ended = await send_test(tmp_path, "Ada@Bücher.example", MAIL_URL=url)

    assert ended.lines == [
        "Gatehouse: the mail server accepted the message to ada@xn--bcher-kva.example."
    ]
    assert ended.status == 0
    assert mailbox.subjects == ["Gatehouse can send mail"]
    assert mailbox.recipients == ["ada@xn--bcher-kva.example"]


async def test_the_answer_of_a_server_that_refuses_is_printed(tmp_path: Path) -> None:
    async def refused() -> str:
        return "550 5.1.1 There is no Ada"

    async with mail_server(Mailbox(to_recipient=refused)) as mailbox:
        url = f"smtp://127.0.0.1:{mailbox.port}"
        ended = await send_test(tmp_path, "ada@example.com", MAIL_URL=url)

    assert ended.status == 1
    assert ended.lines == ["gatehouse: the mail server cannot be used: 550 5.1.1 There is no Ada"]


async def test_a_server_that_is_away_is_a_line(tmp_path: Path) -> None:
    url = f"smtp://ada:secret@127.0.0.1:{free_port()}"
    ended = await send_test(tmp_path, "ada@example.com", MAIL_URL=url)

    assert ended.status == 1
    (line,) = ended.lines
    assert line.startswith("gatehouse: the mail server cannot be used: ")
    assert "secret" not in line


async def test_without_mail_url_no_test_message_can_be_sent(tmp_path: Path) -> None:
    ended = await send_test(tmp_path, "ada@example.com")

    assert (ended.status, ended.lines) == (1, ["gatehouse: MAIL_URL is not set"])


async def test_a_test_message_to_what_is_no_address_is_a_line(tmp_path: Path) -> None:
    ended = await send_test(tmp_path, "a@x> SIZE=1", MAIL_URL="smtp://127.0.0.1:2525")

    assert (ended.status, ended.lines) == (1, ["gatehouse: ADDRESS must be an email address"])


async def test_an_address_that_bounced_gets_no_more_mail(
    ada: RegisteredUser, services: Services, database_url: str, tmp_path: Path
) -> None:
    ended = await asyncio.to_thread(
        run,
        ["mail", "bounced", "ADA@example.com"],
        tmp_path,
        SECRET_KEY=SECRET_KEY,
        DATABASE_URL=database_url,
    )

    assert ended.status == 0
    assert ended.lines == ["Gatehouse: nothing is sent to this address any more."]
    async with services.database.reading() as session:
        marked = await session.scalars(select(User.email_undeliverable_at))
        assert None not in marked.all()


async def test_an_address_that_no_account_has_is_a_line(
    ada: RegisteredUser, database_url: str, tmp_path: Path
) -> None:
    ended = await asyncio.to_thread(
        run,
        ["mail", "bounced", "grace@example.com"],
        tmp_path,
        SECRET_KEY=SECRET_KEY,
        DATABASE_URL=database_url,
    )

    assert (ended.status, ended.lines) == (1, ["gatehouse: no account has this address"])
