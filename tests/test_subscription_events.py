"""What subscribers are told: every event once, none that is older, and nothing after the end of
their session."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, update

from db.models import LoginSession, SecurityEvent
from domain.access_tokens.tokens import Caller
from domain.errors import SessionEnded
from domain.ids import first_id_of, new_id
from domain.security_events import EventKind
from domain.services import Services
from domain.subscriptions import MAX_PENDING, OVERLAP, Subscriber, Subscriptions
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
    kind: EventKind = EventKind.EXPORTED,
    ago: timedelta = timedelta(),
) -> UUID:
    """Commit an event with the id and time of a transaction that began some time ago."""
    moment = datetime.now(UTC) - ago
    # Not before the millisecond, and like no other.
    id = UUID(int=first_id_of(moment).int | new_id().int & (1 << 80) - 1)
    async with services.database.writing() as session:
        session.add(SecurityEvent(id=id, user_id=UUID(user.id), kind=kind, created_at=moment))
    return id


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
    with subscriptions.subscribe(caller_of(services, ada), object()) as subscriber:
        id = await write_event(services, ada)
        first = await told(subscriptions, subscriber)
        second = await told(subscriptions, subscriber)

    assert (first, second) == ([id], [])


async def test_events_before_the_subscription_are_not_told(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    await write_event(services, ada)
    with subscriptions.subscribe(caller_of(services, ada), object()) as subscriber:
        assert await told(subscriptions, subscriber) == []
        with subscriptions.subscribe(caller_of(services, ada), object()) as later:
            assert await told(subscriptions, later) == []


async def test_an_event_that_is_committed_late_is_told(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    """Its id is from before events that were told."""
    with subscriptions.subscribe(caller_of(services, ada), object()) as subscriber:
        await write_event(services, ada)
        await told(subscriptions, subscriber)
        late = await write_event(services, ada, ago=OVERLAP - timedelta(seconds=1))

        assert await told(subscriptions, subscriber) == [late]


async def test_nothing_is_missed_while_the_database_is_away(
    services: Services,
    subscriptions: Subscriptions,
    ada: RegisteredUser,
) -> None:
    with subscriptions.subscribe(caller_of(services, ada), object()) as subscriber:
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
    with (
        subscriptions.subscribe(caller_of(services, ada), object()) as adas,
        subscriptions.subscribe(caller_of(services, grace), object()),
    ):
        await write_event(services, grace)

        assert await told(subscriptions, adas) == []


async def test_what_waits_is_dropped_when_the_session_ends(
    services: Services, subscriptions: Subscriptions, graphql: GraphQL, ada: RegisteredUser
) -> None:
    with subscriptions.subscribe(caller_of(services, ada), object()) as subscriber:
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
    with subscriptions.subscribe(caller, object()) as subscriber:
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
    with subscriptions.subscribe(caller_of(services, other), object()) as subscriber:
        await graphql("mutation { logout }", by=ada)
        await subscriptions.poll()
        change = await subscriber.next_change()

    assert change is not None
    assert [one.kind for one in change.events] == [EventKind.SESSION_ENDED]


async def test_a_subscriber_that_takes_nothing_is_ended(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    with subscriptions.subscribe(caller_of(services, ada), object()) as subscriber:
        for _ in range(MAX_PENDING + 1):
            await write_event(services, ada)
        await subscriptions.poll()

        assert await subscriber.next_change() is None


async def test_attempts_are_no_change_of_the_user(
    services: Services, subscriptions: Subscriptions, ada: RegisteredUser
) -> None:
    with subscriptions.subscribe(caller_of(services, ada), object()) as subscriber:
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
    with ExitStack() as stack:
        for user in users:
            caller = caller_of(services, user)
            for connection in range(5):
                for _ in range(10):
                    stack.enter_context(subscriptions.subscribe(caller, connection))
        await subscriptions.poll()
        with statements() as first:
            await subscriptions.poll()

    assert subscriptions.count == 0
    assert len([one for one in first if one.sql.startswith("SELECT")]) == 1
    assert (await graphql(ME, by=users[0])).errors == []


async def test_a_process_without_subscribers_reads_nothing(subscriptions: Subscriptions) -> None:
    with statements() as executed:
        await subscriptions.poll()

    assert executed == []
