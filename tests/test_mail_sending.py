"""How mail is sent: to a real SMTP server, in all the ways in which one can fail."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import select, text, update

from api import background
from api.app import create_app
from db.database import Database
from db.models import OutboxRow, User
from domain import outbox
from domain.mail import send, server
from domain.mail.send import Sender
from domain.mail.server import Encryption, MailServer
from domain.observer import DeliveryOutcome, Observer
from domain.outbox import OutboxKind
from domain.services import Services
from settings import Settings
from tests.certificates import trusted_certificate
from tests.clocks import moved_clock
from tests.conftest import SECRET_KEY, settings_for
from tests.mail_servers import PASSWORD, USERNAME, Answer, Mailbox, accepted, mail_server
from tests.operations import UPDATE_ME
from tests.outboxes import add_mails, make_due, render, row, rows, sender_to
from tests.servers import TIMEOUT_SECONDS, running_server
from tests.users import GraphQL, RegisteredUser

MAIL_SETTINGS = {
    "MAIL_FROM": "accounts@example.com",
    "DATA_KEY": "a data key for tests, and for nothing else but tests",
}


@pytest.fixture
def database(services: Services) -> Database:
    return services.database


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with mail_server() as mailbox:
        yield mailbox


@pytest.fixture
def sender(mailbox: Mailbox, database: Database) -> Sender:
    return sender_to(mailbox.port, database)


async def add_notice(database: Database, to: str = "ada@example.com") -> None:
    """Add a mail as our templates need it."""
    at = datetime.now(UTC).isoformat()
    async with database.writing() as session:
        outbox.add(
            session,
            OutboxKind.MAIL,
            {"template": "account_mail_test", "to": to, "values": {"at": at}},
            expires_at=datetime.now(UTC) + timedelta(hours=1),
        )


def answering(answer: str) -> Answer:
    """Return the callable of a server that always gives this answer, or none and hangs up."""

    async def give() -> str:
        return answer

    return give


def mail_settings(database_url: str, mailbox: Mailbox) -> Settings:
    return settings_for(
        database_url,
        mail_url=f"smtp://127.0.0.1:{mailbox.port}",
        **{name.lower(): value for name, value in MAIL_SETTINGS.items()},
    )


@asynccontextmanager
async def locked(database: Database) -> AsyncIterator[None]:
    """Let nobody else write to the outbox while the block runs. On SQLite, every transaction of
    ours does that."""
    async with database.writing() as session:
        await session.execute(update(OutboxRow).values(target=None))
        yield


async def undeliverable(database: Database) -> datetime | None:
    async with database.reading() as session:
        since: datetime | None = await session.scalar(select(User.email_undeliverable_at))
        return since


async def test_all_that_is_due_goes_by_few_connections(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    await add_mails(database, 12)
    await sender.send_due()

    assert mailbox.subjects == sorted(str(n) for n in range(12))
    assert mailbox.connections == 2
    assert {(bool(one.done_at), one.payload == {}) for one in await rows(database)} == {
        (True, True)
    }


async def test_eight_senders_send_each_mail_once(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    await add_mails(database, 100)
    await asyncio.gather(*(sender.send_due() for _ in range(8)))

    assert mailbox.subjects == sorted(str(n) for n in range(100))


async def test_an_international_domain_is_written_in_ascii(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    await add_mails(database, to="ada@bücher.example")
    await sender.send_due()

    assert mailbox.recipients == ["ada@xn--bcher-kva.example"]


async def test_a_password_is_sent_over_tls_alone(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = trusted_certificate(tmp_path, monkeypatch)
    await add_mails(database)
    async with mail_server(tls=tls, auth=True) as mailbox:
        server = MailServer("127.0.0.1", mailbox.port, Encryption.STARTTLS, USERNAME, PASSWORD)
        await Sender(database, server, render).send_due()

        assert mailbox.subjects == ["0"]
        assert mailbox.logins == [USERNAME]


async def test_a_certificate_that_nobody_trusts_ends_the_connection(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        tls = trusted_certificate(tmp_path, patch)
    await add_mails(database)
    async with mail_server(tls=tls, auth=True) as mailbox:
        server = MailServer("127.0.0.1", mailbox.port, Encryption.STARTTLS, USERNAME, PASSWORD)
        await Sender(database, server, render).send_due()

        assert (mailbox.logins, mailbox.mails) == ([], [])


async def test_without_starttls_nothing_is_said(database: Database) -> None:
    await add_mails(database)
    async with mail_server(auth=True) as mailbox:
        server = MailServer("127.0.0.1", mailbox.port, Encryption.STARTTLS, USERNAME, PASSWORD)
        await Sender(database, server, render).send_due()

        assert (mailbox.logins, mailbox.mails) == ([], [])
    assert (await row(database)).failed_at is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", (587, Encryption.STARTTLS, None, None)),
        ("smtps://a%2Fb:p%40s@mail.example.com", (465, Encryption.TLS, "a/b", "p@s")),
        ("smtp://127.0.0.2:25", (25, Encryption.NONE, None, None)),
        ("smtp://localhost", (587, Encryption.NONE, None, None)),
        ("SMTP://[::1]:2525/", (2525, Encryption.NONE, None, None)),
        ("smtp://localhost.example.com", (587, Encryption.STARTTLS, None, None)),
    ],
)
def test_only_mail_within_the_machine_goes_in_clear_text(
    url: str, expected: tuple[int, Encryption, str | None, str | None]
) -> None:
    found = MailServer.of(url)

    assert (found.port, found.encryption, found.username, found.password) == expected


async def test_a_wrong_password_of_the_server_loses_nothing(database: Database) -> None:
    await add_mails(database)
    async with mail_server(auth=True) as mailbox:
        wrong = MailServer("127.0.0.1", mailbox.port, Encryption.NONE, USERNAME, "wrong")
        await Sender(database, wrong, render).send_due()
        assert (await row(database)).error == "535 5.7.8"
        await make_due(database)
        right = replace(wrong, password=PASSWORD)
        await Sender(database, right, render).send_due()

        assert mailbox.subjects == ["0"]


async def test_a_mailbox_that_does_not_exist_gets_no_more_mail(
    graphql: GraphQL, ada: RegisteredUser, database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    mailbox.to_recipient = answering("550 5.1.1 <ada@example.com>: no such user")
    await add_mails(database, to="Ada@Example.com")
    await sender.send_due()
    failed = await row(database)

    assert failed.failed_at
    assert (failed.error, failed.payload) == ("550 5.1.1", {})
    assert await undeliverable(database)
    mailbox.to_recipient = accepted
    await add_mails(database)
    await sender.send_due()
    assert mailbox.mails == []

    changes = {"email": "ada@example.org", "currentPassword": ada.password}
    assert (await graphql(UPDATE_ME, by=ada, input=changes)).errors == []
    assert await undeliverable(database) is None


@pytest.mark.parametrize("answer", ["550 5.7.1 Relaying denied", "554 Rejected", "552 5.2.2 Full"])
async def test_another_5xx_ends_the_mail_and_says_nothing_of_the_address(
    ada: RegisteredUser, database: Database, sender: Sender, mailbox: Mailbox, answer: str
) -> None:
    mailbox.to_recipient = answering(answer)
    await add_mails(database)
    await sender.send_due()

    assert (await row(database)).failed_at
    assert await undeliverable(database) is None


async def test_a_mail_that_is_refused_after_its_text_is_given_up(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    mailbox.to_mail = answering("554 5.7.1 spam")
    await add_mails(database, 2)
    await sender.send_due()

    assert [one.error for one in await rows(database)] == ["554 5.7.1"] * 2
    assert mailbox.connections == 1


async def test_4xx_is_tried_again(database: Database, sender: Sender, mailbox: Mailbox) -> None:
    mailbox.to_recipient = answering("451 4.7.1 Greylisted")
    await add_mails(database)
    await sender.send_due()
    put_off = await row(database)
    assert put_off.due_at > datetime.now(UTC)
    assert (put_off.error, put_off.failed_at) == ("451 4.7.1", None)

    mailbox.to_recipient = accepted
    await make_due(database)
    await sender.send_due()

    assert mailbox.subjects == ["0"]
    assert (await row(database)).error is None


async def test_a_server_that_hangs_holds_up_one_mail(
    database: Database, sender: Sender, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "MAIL_TIMEOUT", timedelta(seconds=0.2))
    mailbox.to_mail = asyncio.Event().wait  # type: ignore[assignment]
    await add_mails(database, 2)
    await sender.send_due()
    assert [(one.attempts, one.error) for one in await rows(database)] == [
        (1, "TimeoutError"),
        (0, None),
    ]

    mailbox.to_mail = accepted
    await make_due(database)
    await sender.send_due()

    assert mailbox.subjects == ["0", "1"]


async def test_a_server_that_says_nothing_is_left(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECT_TIMEOUT", 0.2)
    loop = asyncio.get_running_loop()
    silent = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    await add_mails(database)
    await sender_to(silent.sockets[0].getsockname()[1], database).send_due()
    silent.close()

    assert (await row(database)).error == "TimeoutError"


async def test_a_connection_that_is_lost_after_the_text_leads_to_another_try(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    mailbox.to_mail = answering("")
    await add_mails(database, 2)
    await sender.send_due()
    mailbox.to_mail = accepted
    await make_due(database)
    await sender.send_due()

    assert mailbox.subjects == ["0", "1"]


async def test_mail_waits_for_a_server_that_is_away_for_long(database: Database) -> None:
    await add_mails(database, 12)
    async with mail_server() as mailbox:
        sender = sender_to(mailbox.port, database)
    for _ in range(6):
        await make_due(database)
        for _ in ("ten mails", "two mails"):
            await sender.send_due()
    assert {(one.attempts, one.failed_at) for one in await rows(database)} == {(6, None)}

    async with mail_server(mailbox):
        await make_due(database)
        await sender.send_due()

    assert len(set(mailbox.subjects)) == len(mailbox.subjects) == 12


async def test_a_mail_that_cannot_be_rendered_holds_up_no_other(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    def fail_for_the_first(row: OutboxRow) -> EmailMessage:
        if row.payload["subject"] == "0":
            raise LookupError("ada@example.com")
        return render(row)

    await add_mails(database, 3)
    await replace(sender, render=fail_for_the_first).send_due()

    assert mailbox.subjects == ["1", "2"]
    assert [one.error for one in await rows(database)] == ["LookupError", None, None]


async def test_a_payload_of_another_release_holds_up_no_other(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    async with database.writing() as session:
        in_an_hour = datetime.now(UTC) + timedelta(hours=1)
        outbox.add(session, OutboxKind.MAIL, {"recipient": "ada"}, expires_at=in_an_hour)
    await add_mails(database, 2)
    await sender.send_due()

    assert mailbox.subjects == ["0", "1"]
    assert [one.error for one in await rows(database)] == ["KeyError", None, None]


async def test_an_expired_mail_is_not_sent(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    await add_mails(database, lifetime=timedelta(seconds=5))
    with moved_clock(timedelta(seconds=6)):
        await sender.send_due()

    assert mailbox.mails == []
    assert (await row(database)).error == "expired"


async def test_a_process_that_stops_marks_the_mail_under_way(
    database: Database, sender: Sender, mailbox: Mailbox
) -> None:
    under_way, may_end = asyncio.Event(), asyncio.Event()

    async def hold() -> str:
        under_way.set()
        await may_end.wait()
        return "250 OK"

    mailbox.to_mail = hold
    await add_mails(database, 2)
    task = asyncio.create_task(sender.send_due())
    await under_way.wait()
    task.cancel()
    asyncio.get_running_loop().call_soon(may_end.set)
    await asyncio.wait([task])

    first, second = await rows(database)
    assert task.cancelled()
    assert first.done_at
    assert (second.attempts, second.lease_until, second.done_at) == (0, None, None)


async def test_the_observer_is_told(database: Database, mailbox: Mailbox) -> None:
    class Seen(Observer):
        def __init__(self) -> None:
            self.outcomes: list[DeliveryOutcome] = []
            self.waits: list[float] = []

        def mail_ended(self, outcome: DeliveryOutcome) -> None:
            self.outcomes.append(outcome)

        def mail_waits(self, seconds: float) -> None:
            self.waits.append(seconds)

    seen = Seen()
    sender = replace(sender_to(mailbox.port, database), observer=seen)
    await add_mails(database)
    mailbox.to_recipient = answering("451 later")
    await sender.send_due()
    mailbox.to_recipient = answering("554 never")
    await make_due(database)
    await sender.send_due()
    mailbox.to_recipient = accepted
    await add_mails(database)
    await sender.send_due()

    assert seen.outcomes == [DeliveryOutcome.RETRIED, DeliveryOutcome.FAILED, DeliveryOutcome.SENT]
    assert seen.waits[0] > 0
    assert seen.waits[-1] == 0


async def test_a_commit_wakes_the_task_that_sends(
    database_url: str, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "SEND_EVERY", timedelta(hours=1))
    app = create_app(mail_settings(database_url, mailbox))
    async with app.router.lifespan_context(app):
        for count in (1, 2):
            await add_notice(app.state.gatehouse.services.database)
            await mailbox.until(count)

    assert mailbox.recipients == ["ada@example.com"] * 2
    assert mailbox.mails[0]["From"] == "Gatehouse <accounts@example.com>"


async def test_mail_of_another_process_is_sent_too(
    database_url: str, database: Database, mailbox: Mailbox
) -> None:
    app = create_app(mail_settings(database_url, mailbox))
    async with app.router.lifespan_context(app):
        await add_notice(database)
        await mailbox.until(1)


async def test_a_database_that_is_away_does_not_end_the_task(
    database_url: str,
    database: Database,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(background, "SEND_EVERY", timedelta(milliseconds=10))
    async with database.writing() as session:
        await session.execute(text("ALTER TABLE outbox RENAME TO hidden"))
    app = create_app(mail_settings(database_url, mailbox))
    async with app.router.lifespan_context(app):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while "Sending messages failed" not in caplog.text:
                await undeliverable(database)
        async with database.writing() as session:
            await session.execute(text("ALTER TABLE hidden RENAME TO outbox"))
        await add_notice(database)
        await mailbox.until(1)


async def test_the_task_ends_though_a_cancellation_is_lost_while_it_connects(
    database: Database,
) -> None:
    connecting = asyncio.Event()

    class LosesCancellation(MailServer):
        async def connect(self) -> NoReturn:
            connecting.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            raise OSError

    server = LosesCancellation("127.0.0.1", 1, Encryption.NONE)
    await add_mails(database)
    async with (
        asyncio.timeout(TIMEOUT_SECONDS),
        background.sending(database, [Sender(database, server, render)]),
    ):
        await connecting.wait()


async def test_four_processes_send_each_mail_once(
    database_url: str, database: Database, mailbox: Mailbox, tmp_path: Path
) -> None:
    url = f"smtp://127.0.0.1:{mailbox.port}"
    with running_server(
        database_url, SECRET_KEY, tmp_path, MAIL_URL=url, WORKERS="4", **MAIL_SETTINGS
    ):
        for n in range(60):
            await add_notice(database, f"{n}@example.com")
        await mailbox.until(60)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while {one.done_at is None for one in await rows(database)} != {False}:
                pass

    assert sorted(mailbox.recipients) == sorted(f"{n}@example.com" for n in range(60))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows")
async def test_a_process_that_is_killed_at_any_step_loses_no_mail(
    database_url: str, database: Database, mailbox: Mailbox, tmp_path: Path
) -> None:
    """Of one batch, the first mail is marked, the second is sent and the third is claimed."""
    held = locked(database)

    async def take_and_lock_the_second() -> str:
        """Let nobody mark the second mail after this answer."""
        if mailbox.mails:
            await held.__aenter__()
        return "250 OK"

    mailbox.to_mail = take_and_lock_the_second
    url = f"smtp://127.0.0.1:{mailbox.port}"
    for name in ("marked", "sent", "claimed"):
        await add_notice(database, f"{name}@example.com")
    with running_server(
        database_url, SECRET_KEY, tmp_path, MAIL_URL=url, **MAIL_SETTINGS
    ) as process:
        await mailbox.until(2)
        process.process.kill()
        process.process.wait(TIMEOUT_SECONDS)
    await held.__aexit__(None, None, None)
    assert [bool(one.done_at) for one in await rows(database)] == [True, False, False]

    mailbox.to_mail = accepted
    await make_due(database)
    app = create_app(mail_settings(database_url, mailbox))
    async with app.router.lifespan_context(app):
        await mailbox.until(4)

    names = [address.removesuffix("@example.com") for address in mailbox.recipients]
    assert names == ["marked", "sent", "sent", "claimed"]
    assert mailbox.mails[1]["Message-ID"] == mailbox.mails[2]["Message-ID"]
    assert {bool(one.done_at) for one in await rows(database)} == {True}


def test_without_a_mail_server_nothing_is_loaded_for_it() -> None:
    code = (
        "import sys; from api.app import create_app; from settings import Settings;"
        f" create_app(Settings(secret_key={SECRET_KEY!r}, _env_file=None));"
        " sys.exit('aiosmtplib' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
