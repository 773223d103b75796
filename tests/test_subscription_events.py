"""What subscribers are told: every event once, none that is older, and nothing after the end of
their session."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, update

from db.engine import CONNECTIONS
from db.models import LoginSession, SecurityEvent
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import current_users
from domain.errors import QuotaExceeded, SessionEnded
from domain.ids import first_id_of, new_id
from domain.security_events import EventKind
from domain.services import Services
from domain.subscriptions import (
    MAX_FIELDS_PER_USER,
    MAX_PENDING,
    OVERLAP,
    Subscriber,
    Subscriptions,
)
from tests.operations import ME
from tests.sessions import log_in
from tests.statements import statements
from tests.users import GraphQL, RegisteredUser, register_user


@pytest.fixture
def subscriptions(services: Services) -> Subscriptions:
    return Subscriptions(services.database)


def caller_of(services: Services, user: RegisteredUser) -> Caller:
    return services.access_tokens.read(user.token).caller


async def write_event(
    services: Services,
    user: RegisteredUser,
    *,
    kind: str = EventKind.EXPORTED,
    ago: timedelta = timedelta(),
) -> UUID:
    """Commit an event with the id and time of a transaction that began some time ago."""
    moment = datetime.now(UTC) - ago
    # Not before the millisecond, and like no other.
    id = UUID(int=first_id_of(moment).int | new_id().int & (1 << 80) - 1)
    async with services.database.writing() as session:
        session.add(SecurityEvent(id=id, user_id=UUID(user.id), kind=kind, created_at=moment))
    return id


class Connection:
    """A socket that is not there."""

    is_cut_off = False

    def cut_off_soon(self) -> None:
        self.is_cut_off = True


@asynccontextmanager
async def subscribed(
    subscriptions: Subscriptions, caller: Caller, connection: Connection | None = None
) -> AsyncIterator[Subscriber]:
    """Subscribe as the graph does."""
    async with subscriptions.subscribe(caller, connection or Connection(), fields=3) as subscriber:
        async with subscriptions._database.reading() as session:
            found = await current_users(session, [caller])
        subscriber.begin(found[caller])
        yield subscriber


@contextmanager
def database_away() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    event.listen(Engine, "before_cursor_execute", refuse)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", refuse)


async def told(subscriptions: Subscriptions, subscriber: Subscriber) -> list[UUID]:
    """Poll once, and return the ids of the events that a subscriber is told of."""
    await subscriptions.poll()
    found: list[UUID] = []
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(0.01):
                change = await subscriber.next_change()
            assert change is not None
            found += [one.id for one in change.events]
    return found


async def test_an_event_is_told_once(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        id = await write_event(services, ada)
        first = await told(subscriptions, subscriber)
        second = await told(subscriptions, subscriber)

    assert (first, second) == ([id], [])


async def test_events_before_the_subscription_are_not_told(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    await write_event(services, ada)
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        assert await told(subscriptions, subscriber) == []
        async with subscribed(subscriptions, caller_of(services, ada)) as later:
            assert await told(subscriptions, later) == []


async def test_an_event_that_is_committed_late_is_told(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    """Its id is from before events that were told."""
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        await write_event(services, ada)
        await told(subscriptions, subscriber)
        late = await write_event(services, ada, ago=OVERLAP - timedelta(seconds=1))

        assert await told(subscriptions, subscriber) == [late]


async def test_nothing_is_missed_while_the_database_is_away(
    services: Services,
    subscriptions: Subscriptions,
    ada: RegisteredUser,
) -> None:
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        await told(subscriptions, subscriber)
        id = await write_event(services, ada)
        with database_away(), pytest.raises(ConnectionRefusedError):
            await subscriptions.poll()

        assert await told(subscriptions, subscriber) == [id]


async def test_events_of_another_user_are_not_told(
    services: Services,
    subscriptions: Subscriptions,
    ada: RegisteredUser,
    grace: RegisteredUser,
) -> None:
    async with (
        subscribed(subscriptions, caller_of(services, ada)) as adas,
        subscribed(subscriptions, caller_of(services, grace)),
    ):
        await write_event(services, grace)

        assert await told(subscriptions, adas) == []


async def test_what_waits_is_dropped_when_the_session_ends(
    services: Services, subscriptions: Subscriptions, graphql: GraphQL, ada: RegisteredUser
) -> None:
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        await write_event(services, ada)
        await subscriptions.poll()
        await graphql("mutation { logout }", by=ada)
        await subscriptions.poll()

        with pytest.raises(SessionEnded):
            await subscriber.next_change()


async def test_a_session_that_ends_without_an_event_is_found(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    caller = caller_of(services, ada)
    async with subscribed(subscriptions, caller) as subscriber:
        expired = datetime.now(UTC) - timedelta(seconds=1)
        async with services.database.writing() as session:
            await session.execute(
                update(LoginSession)
                .where(LoginSession.id == caller.session_id)
                .values(expires_at=expired)
            )
        await subscriptions.poll()

        with pytest.raises(SessionEnded):
            await subscriber.next_change()


async def test_another_session_of_the_user_goes_on(
    services: Services, subscriptions: Subscriptions, graphql: GraphQL, ada: RegisteredUser
) -> None:
    other = await log_in(graphql, ada)
    async with subscribed(subscriptions, caller_of(services, other)) as subscriber:
        await graphql("mutation { logout }", by=ada)
        await subscriptions.poll()
        change = await subscriber.next_change()

    assert change is not None
    assert [one.kind for one in change.events] == [EventKind.SESSION_ENDED]


async def test_a_subscriber_that_takes_nothing_is_ended(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        for _ in range(MAX_PENDING + 1):
            await write_event(services, ada)
        await subscriptions.poll()

        assert await subscriber.next_change() is None


async def test_a_change_right_after_the_beginning_is_told(
    services: Services, subscriptions: Subscriptions, graphql: GraphQL, ada: RegisteredUser
) -> None:
    """It has no event, so the user is compared with the one that the subscription began with."""
    update = 'mutation { updateMe(input: { imageFile: "ada.png" }) { id } }'
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        await graphql(update, by=ada)
        await subscriptions.poll()
        change = await subscriber.next_change()

    assert change is not None
    assert change.user.image_file == "ada.png"


async def test_who_subscribes_during_a_poll_misses_nothing(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    caller = caller_of(services, ada)
    async with subscribed(subscriptions, caller):
        await subscriptions.poll()
        async with AsyncExitStack() as stack:
            # All connections, so that the poll waits.
            for _ in range(CONNECTIONS):
                await stack.enter_async_context(services.database.reading())
            poll = asyncio.create_task(subscriptions.poll())
            later = asyncio.create_task(stack_free(subscriptions, caller))
            await asyncio.sleep(0)
        subscriber, leave = await later
        id = await write_event(services, ada)
        await poll
        found = await told(subscriptions, subscriber)
        await leave.aclose()

    assert found == [id]


async def stack_free(
    subscriptions: Subscriptions, caller: Caller
) -> tuple[Subscriber, AsyncExitStack]:
    stack = AsyncExitStack()
    return await stack.enter_async_context(subscribed(subscriptions, caller)), stack


@pytest.mark.parametrize("ago", [timedelta(seconds=9), timedelta(hours=-1)])
async def test_an_event_by_another_clock_is_told_once(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser, ago: timedelta
) -> None:
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        id = await write_event(services, ada, ago=ago)
        first = await told(subscriptions, subscriber)
        async with subscribed(subscriptions, caller_of(services, ada)) as later:
            second = await told(subscriptions, subscriber)
            by_later = await told(subscriptions, later)

    assert (first, second, by_later) == ([id], [], [])


async def test_the_socket_of_an_ended_session_is_cut_off(
    services: Services, subscriptions: Subscriptions, graphql: GraphQL, ada: RegisteredUser
) -> None:
    connection = Connection()
    async with subscribed(subscriptions, caller_of(services, ada), connection):
        before = connection.is_cut_off
        await graphql("mutation { logout }", by=ada)
        await subscriptions.poll()

    assert (before, connection.is_cut_off) == (False, True)


async def test_an_event_of_a_newer_release_is_left_out(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        await write_event(services, ada, kind="TELEPORTED")
        id = await write_event(services, ada)

        assert await told(subscriptions, subscriber) == [id]


async def test_the_fields_of_a_users_subscriptions_are_bounded(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    caller = caller_of(services, ada)
    async with subscriptions.subscribe(caller, Connection(), fields=MAX_FIELDS_PER_USER):
        with pytest.raises(QuotaExceeded):
            await subscriptions.subscribe(caller, Connection(), fields=1).__aenter__()
    async with subscriptions.subscribe(caller, Connection(), fields=1):
        pass


async def test_attempts_are_no_change_of_the_user(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    async with subscribed(subscriptions, caller_of(services, ada)) as subscriber:
        await write_event(services, ada, kind=EventKind.WRONG_PASSWORD)
        await subscriptions.poll()
        attempt = await subscriber.next_change()
        await write_event(services, ada, kind=EventKind.PASSKEY_ADDED)
        await subscriptions.poll()
        addition = await subscriber.next_change()

    assert attempt is not None
    assert addition is not None
    assert (attempt.is_of_user, addition.is_of_user) == (False, True)


async def test_a_thousand_subscribers_share_two_statements(
    services: Services, subscriptions: Subscriptions, graphql: GraphQL
) -> None:
    users = [
        await register_user(graphql, f"user{n}", f"user{n}@example.com", "a good password")
        for n in range(10)
    ]
    async with AsyncExitStack() as stack:
        for user in users:
            caller = caller_of(services, user)
            for connection in [Connection() for _ in range(5)]:
                for _ in range(10):
                    waiting = subscribed(subscriptions, caller, connection)
                    await stack.enter_async_context(waiting)
        await subscriptions.poll()
        with statements() as first:
            await subscriptions.poll()

    assert subscriptions.count == 0
    # The time, and the events.
    assert len([one for one in first if one.sql.startswith(("SELECT", "WITH"))]) == 2
    assert (await graphql(ME, by=users[0])).errors == []


async def test_a_process_without_subscribers_reads_nothing(subscriptions: Subscriptions) -> None:
    with statements() as executed:
        await subscriptions.poll()

    assert executed == []
