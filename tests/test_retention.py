"""How long sessions, security events, tickets and messages are kept."""

import asyncio
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from api import background
from api.app import create_app
from api.background import PRUNE_TICKETS_EVERY
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
from tests.sessions import log_in, sessions
from tests.users import GraphQL, RegisteredUser

KEPT_FOR = timedelta(days=90)


async def count(
    services: Services, model: type[LoginSession | OutboxRow | SecurityEvent | Ticket]
) -> int:
    async with services.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


async def pass_time(services: Services, time: timedelta) -> None:
    """Make every session and event look as if it had happened this much earlier."""
    async with services.database.writing() as session:
        for one in await session.scalars(select(LoginSession)):
            one.expires_at -= time
        for event in await session.scalars(select(SecurityEvent)):
            # Pruning goes by the time in the id.
            moved = event.id.int - first_id_of(datetime.now(UTC)).int
            before = first_id_of(datetime.now(UTC) - time).int
            await session.execute(
                update(SecurityEvent)
                .where(SecurityEvent.id == event.id)
                .values(id=type(event.id)(int=before + moved))
            )


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
    async with services.database.writing() as session:
        session.add_all(
            SecurityEvent(id=new_id(), kind="WRONG_PASSWORD", created_at=datetime.now(UTC))
            for _ in range(many)
        )

    assert await retention.prune(services.database, kept_for=timedelta(0)) == many + 1
    assert await count(services, SecurityEvent) == 0
    assert (await graphql(ME, by=ada)).errors == []


async def test_the_command_says_how_much_it_was(
    graphql: GraphQL, ada: RegisteredUser, services: Services, database_url: str, tmp_path: Path
) -> None:
    await pass_time(services, timedelta(days=14 + 91))
    run = await asyncio.to_thread(
        subprocess.run,
        [GATEHOUSE, "prune"],
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
