"""How long sessions, security events, tickets and messages are kept."""

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, event, func, select, text, update

from api import background
from api.app import create_app
from api.background import PRUNE_TICKETS_EVERY
from db.database import Database
from db.engine import create_engine
from db.models import LoginSession, OutboxRow, SecurityEvent, Ticket
from domain import retention, tickets
from domain.ids import first_id_of, new_id
from domain.services import Services
from domain.tickets import TicketKind
from settings import Settings
from tests.conftest import SECRET_KEY
from tests.operations import DELETE_ME, LOGIN, LOGOUT, ME
from tests.outboxes import add_mails
from tests.servers import GATEHOUSE, TIMEOUT_SECONDS, environment
from tests.sessions import log_in, refresh, sessions
from tests.statements import explain, statements
from tests.users import GraphQL, RegisteredUser

KEPT_FOR = timedelta(days=90)


async def count(
    services: Services, model: type[LoginSession | OutboxRow | SecurityEvent | Ticket]
) -> int:
    async with services.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def pass_time(services: Services, passed: timedelta, *, kinds: str = "%") -> None:
    """Make every session and event, or the events of one kind, look as if it had happened this much
    earlier. Pruning goes by the time in the id."""
    now = datetime.now(UTC)
    difference = first_id_of(now).int - first_id_of(now - passed).int
    async with services.database.writing() as session:
        if kinds == "%":
            for started in (await session.scalars(select(LoginSession))).all():
                started.expires_at -= passed
                started.id = UUID(int=started.id.int - difference)
        for one in await session.scalars(
            select(SecurityEvent).where(SecurityEvent.kind.like(kinds))
        ):
            one.id = UUID(int=one.id.int - difference)


async def test_what_is_recent_or_active_is_kept(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    phone = await log_in(graphql, ada)
    await graphql(LOGOUT, by=phone)

    assert await retention.prune(services.database, kept_for=KEPT_FOR) == 0
    assert (await graphql(ME, by=ada)).errors == []


async def test_what_ended_or_happened_long_ago_goes(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    phone = await log_in(graphql, ada)
    await graphql(LOGOUT, by=phone)
    await pass_time(services, KEPT_FOR)
    laptop = await log_in(graphql, ada)
    deleted = await retention.prune(services.database, kept_for=KEPT_FOR)

    # Only the phone's session had ended. The one of the registration was active for 14 more days.
    assert deleted == 1 + 3
    assert len(await sessions(graphql, laptop)) == 1
    assert await count(services, LoginSession) == 2
    assert await count(services, SecurityEvent) == 1


async def test_refreshes_are_kept_for_a_week(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    token = await refresh(graphql, ada.refresh_token)
    await pass_time(services, timedelta(days=8))
    await refresh(graphql, token)

    assert await retention.prune(services.database, kept_for=KEPT_FOR) == 1
    async with services.database.reading() as session:
        kinds = await session.scalars(select(SecurityEvent.kind).order_by(SecurityEvent.id))
    assert kinds.all() == ["REGISTERED", "REFRESHED"]


async def test_refreshes_are_kept_no_longer_than_other_events(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    await refresh(graphql, ada.refresh_token)
    await pass_time(services, timedelta(days=2), kinds="REFRESHED")

    assert await retention.prune(services.database, kept_for=timedelta(days=1)) == 1


async def test_pruning_refreshes_reads_no_other_event(services: Services) -> None:
    with statements() as seen:
        await retention.prune(services.database, kept_for=KEPT_FOR)

    [statement] = [one for one in seen if "REFRESHED" in one.sql]
    assert "ix_security_events_refreshed" in await explain(services, statement)


async def test_expired_tickets_and_old_messages_go(services: Services) -> None:
    database = services.database
    async with database.writing() as session:
        for lifetime in (timedelta(0), timedelta(hours=1)):
            tickets.create(session, TicketKind.SIGN_IN, lifetime=lifetime)
    now = datetime.now(UTC)
    for age, days in ((8, 1), (8, 9), (6, 1)):
        await add_mails(database, lifetime=timedelta(days=days - age))
        async with database.writing() as session:
            newest = max(await session.scalars(select(OutboxRow.id)))
            past = first_id_of(now - timedelta(days=age)).int + newest.int % 2**64
            await session.execute(
                update(OutboxRow).where(OutboxRow.id == newest).values(id=UUID(int=past))
            )

    # One of the messages can still be sent, and one is too recent.
    assert await retention.prune(database, kept_for=KEPT_FOR) == 2
    assert (await count(services, Ticket), await count(services, OutboxRow)) == (1, 2)


async def test_tickets_go_with_their_user(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    async with services.database.writing() as session:
        tickets.create(
            session, TicketKind.SIGN_IN, lifetime=timedelta(hours=1), user_id=UUID(ada.id)
        )
    assert (await graphql(DELETE_ME, by=ada, password=ada.password)).errors == []

    assert await count(services, Ticket) == 0


async def test_more_than_a_batch_goes_too(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    many = retention.BATCH_SIZE + 5
    await add_events(services, many)

    assert await retention.prune(services.database, kept_for=timedelta(0)) == many + 1
    assert await count(services, SecurityEvent) == 0
    assert (await graphql(ME, by=ada)).errors == []


async def add_events(services: Services, number: int) -> None:
    async with services.database.writing() as session:
        session.add_all(
            SecurityEvent(id=new_id(), kind="WRONG_PASSWORD", created_at=datetime.now(UTC))
            for _ in range(number)
        )


@contextmanager
def transaction_seconds() -> Iterator[list[float]]:
    """Yield a list to which the seconds of each transaction of the block are added."""
    began, seconds = [0.0], list[float]()

    def begin(_: Connection) -> None:
        began[0] = time.monotonic()

    def commit(_: Connection) -> None:
        seconds.append(time.monotonic() - began[0])

    event.listen(Engine, "begin", begin)
    event.listen(Engine, "commit", commit)
    yield seconds
    event.remove(Engine, "begin", begin)
    event.remove(Engine, "commit", commit)


@pytest.mark.parametrize("paced", [True, False])
async def test_pruning_takes_a_quarter_of_the_time_unless_it_is_at_full_speed(
    services: Services, paced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_SIZE", 20)
    await add_events(services, 400)
    began = time.monotonic()
    with transaction_seconds() as seconds:
        await retention.prune(services.database, kept_for=timedelta(0), paced=paced)

    assert await count(services, SecurityEvent) == 0
    assert (sum(seconds) <= (time.monotonic() - began) / 4) is paced


async def test_several_processes_prune_as_one(services: Services) -> None:
    """Each of them in its own pace would take a share of PostgreSQL."""
    others = [Database(create_engine(services.database.engines[1].url)) for _ in range(2)]
    await add_events(services, retention.BATCH_SIZE * 3)
    databases = [services.database, *others]
    deleted = await asyncio.gather(
        *(retention.prune(database, kept_for=timedelta(0)) for database in databases)
    )
    for database in others:
        await database.close()

    assert sum(deleted) == retention.BATCH_SIZE * 3
    assert await count(services, SecurityEvent) == 0


@pytest.mark.parametrize("options", [(), ("--full-speed",)])
async def test_the_command_says_how_much_it_was(
    graphql: GraphQL,
    ada: RegisteredUser,
    services: Services,
    database_url: str,
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    await pass_time(services, timedelta(days=14 + 91))
    run = await asyncio.to_thread(
        subprocess.run,
        [GATEHOUSE, "prune", *options],
        cwd=tmp_path,
        env=environment(DATABASE_URL=database_url, SECRET_KEY=SECRET_KEY),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )

    assert run.stdout == "Gatehouse: deleted 2 old rows.\n"
    assert (await graphql(LOGIN, username="Ada", password=ada.password)).errors == []


async def test_a_serving_process_prunes_again_and_again(
    graphql: GraphQL,
    ada: RegisteredUser,
    services: Services,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(background, "PRUNE_EVERY", timedelta(milliseconds=1))
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        for _ in range(2):
            await graphql(LOGIN, username="Nobody", password="wrong engine")
            await pass_time(services, KEPT_FOR)
            await until_pruned(services)

    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"  # its session was pruned too


async def test_expired_tickets_go_soon(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "PRUNE_TICKETS_EVERY", timedelta(milliseconds=1))
    async with services.database.writing() as session:
        for lifetime in (timedelta(0), timedelta(minutes=5)):
            tickets.create(session, TicketKind.PASSKEY_SIGN_IN, lifetime=lifetime)
    async with background.pruning_tickets(services.database), asyncio.timeout(TIMEOUT_SECONDS):
        while await count(services, Ticket) > 1:
            pass

    assert timedelta(minutes=1) >= PRUNE_TICKETS_EVERY


async def test_pruning_no_ticket_does_not_wait_for_the_writer(services: Services) -> None:
    async with services.database.writing() as session:
        tickets.create(session, TicketKind.PASSKEY_SIGN_IN, lifetime=timedelta(minutes=5))
    async with services.database.writing():
        assert await retention.prune_tickets(services.database) == 0


async def test_a_database_that_was_not_available_is_pruned_when_it_is_back(
    graphql: GraphQL,
    ada: RegisteredUser,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(background, "PRUNE_EVERY", timedelta(milliseconds=1))
    database = services.database
    async with database.writing() as session:
        await session.execute(text("ALTER TABLE security_events RENAME TO hidden"))
    async with background.pruning(database, timedelta(0)):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while "Pruning failed" not in caplog.text:
                await count(services, LoginSession)
        async with database.writing() as session:
            await session.execute(text("ALTER TABLE hidden RENAME TO security_events"))
        await until_pruned(services)

    assert (await graphql(ME, by=ada)).errors == []


async def until_pruned(services: Services) -> None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while await count(services, SecurityEvent):
            pass
