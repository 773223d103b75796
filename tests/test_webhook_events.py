"""Which events are published, in the transaction of what happened, and what they say."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fastapi import FastAPI

from api.app import create_app
from db.database import Database
from domain import admin
from domain.accounts import ForeignUser, import_users
from domain.events import SUBSCRIPTIONS, Event, EventType
from domain.roles import OPERATOR
from domain.security_events import EVENT_TYPES, EventKind
from domain.services import Services
from domain.webhooks import types_matching
from settings import Settings
from tests.conftest import settings_for
from tests.operations import (
    DELETE_ME,
    END_SESSION,
    LOGOUT,
    LOGOUT_EVERYWHERE,
    REFRESH,
    REGISTER,
    UPDATE_ME,
)
from tests.outboxes import rows
from tests.sessions import change_password, log_in, move_rotations_back, refresh, sessions
from tests.users import THIS_DEVICE, GraphQL, RegisteredUser
from tests.webhooks import SECRET, published


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, webhooks="https://a.example/hook", webhook_secrets=SECRET)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    # What is published stays in the outbox.
    app.state.gatehouse.senders.clear()
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def database(services: Services) -> Database:
    return services.database


async def types(database: Database, *, since: int = 0) -> list[str]:
    """Return the types of the events, without those of the registration."""
    return sorted(event["type"] for event in (await published(database))[since:])


REGISTRATION = ["session.started", "user.registered"]


async def test_a_registration_is_two_events_with_ids_alone(
    graphql: GraphQL, database: Database, ada: RegisteredUser
) -> None:
    events = {event["type"]: event for event in await published(database)}
    [session] = await sessions(graphql, ada)

    assert sorted(events) == REGISTRATION
    started = events["session.started"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", started["timestamp"])
    assert started == {
        "type": "session.started",
        "timestamp": started["timestamp"],
        "data": {
            "userId": ada.id,
            "sessionId": session["id"],
            "occurredAt": started["timestamp"],
        },
    }


async def test_nothing_of_a_user_but_ids_is_in_the_outbox(
    database: Database, ada: RegisteredUser
) -> None:
    stored = str([(row.payload, row.target, row.error) for row in await rows(database)])

    assert ada.id in stored
    for secret in (ada.username, ada.email, ada.password, ada.token, "a.example", SECRET):
        assert secret not in stored


async def test_an_email_that_others_know_to_be_right_is_verified_as_well(
    services: Services, database: Database
) -> None:
    for name, is_known in (("Ada", False), ("Grace", True)):
        await admin.create_account(
            services,
            THIS_DEVICE,
            OPERATOR,
            username=name,
            email=f"{name}@example.com",
            password=None,
            email_verified=is_known,
        )
    foreign = ForeignUser(1, "Mary", "mary@example.com", email_verified=True)
    await import_users(services, THIS_DEVICE, [foreign])
    async with database.reading() as session:
        ada = await admin.find_account(session, services, OPERATOR, "Ada")
    await admin.correct_account(
        services,
        THIS_DEVICE,
        OPERATOR,
        ada.id,
        reason="a call",
        email=ada.email,
        email_verified=True,
    )

    assert (await types(database)).count("user.verified") == 3
    assert (await types(database)).count("user.registered") == 3


async def test_a_login_and_a_logout_are_events_of_the_session(
    graphql: GraphQL, database: Database, ada: RegisteredUser
) -> None:
    phone = await log_in(graphql, ada)
    await graphql(LOGOUT, by=phone)

    started, ended = (await published(database))[2:]
    assert (started["type"], ended["type"]) == ("session.started", "session.ended")
    assert started["data"]["sessionId"] == ended["data"]["sessionId"]


async def test_a_refresh_is_no_event(
    graphql: GraphQL, database: Database, ada: RegisteredUser
) -> None:
    await refresh(graphql, ada.refresh_token)

    assert await types(database, since=2) == []


@pytest.mark.parametrize("everywhere", [True, False])
async def test_each_session_that_a_user_ends_is_an_event(
    graphql: GraphQL, database: Database, ada: RegisteredUser, everywhere: bool
) -> None:
    await log_in(graphql, ada)
    if everywhere:
        await graphql(LOGOUT_EVERYWHERE, by=ada)
    else:
        for session in reversed(await sessions(graphql, ada)):
            await graphql(END_SESSION, by=ada, id=session["id"])

    assert "session.ended" in await types(database, since=3)
    ended = {event["data"]["sessionId"] for event in (await published(database))[3:]}
    assert len(ended) == (2 if everywhere else 1)


async def test_a_new_password_ends_all_sessions_and_starts_one(
    graphql: GraphQL, database: Database, ada: RegisteredUser
) -> None:
    await log_in(graphql, ada)
    await change_password(graphql, ada, "difference engine")

    assert await types(database, since=3) == [
        "credential.changed",
        "session.ended",
        "session.ended",
        "session.started",
    ]


async def test_a_refresh_token_that_is_used_again_ends_its_session(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    successor = await refresh(graphql, ada.refresh_token)
    await refresh(graphql, successor)
    await move_rotations_back(services, services.session_lifetimes.grace * 2)
    await graphql(REFRESH, token=ada.refresh_token)

    assert await types(services.database, since=2) == ["session.ended"]


async def test_a_deleted_account_is_an_event_and_so_are_its_sessions(
    graphql: GraphQL, database: Database, ada: RegisteredUser
) -> None:
    await log_in(graphql, ada)
    answer = await graphql(DELETE_ME, by=ada, password=ada.password)

    assert answer.errors == []
    assert await types(database, since=3) == ["session.ended", "session.ended", "user.deleted"]


async def test_a_changed_profile_is_one_event(
    graphql: GraphQL, database: Database, ada: RegisteredUser
) -> None:
    changes = {"username": "Countess", "email": "countess@example.com", "locale": "de"}
    answer = await graphql(UPDATE_ME, by=ada, input=changes, password=ada.password)

    assert answer.errors == []
    [event] = (await published(database))[2:]
    assert event["type"] == "user.updated"
    assert event["data"]["userId"] == ada.id


async def test_a_profile_that_stays_as_it_is_is_no_event(
    graphql: GraphQL, database: Database, ada: RegisteredUser
) -> None:
    await graphql(UPDATE_ME, by=ada, input={"imageFile": None})

    assert await types(database) == REGISTRATION


async def test_what_is_rolled_back_is_no_event(
    graphql: GraphQL, database: Database, ada: RegisteredUser
) -> None:
    answer = await graphql(
        REGISTER, username="Other", email=ada.email, password="analytical engine"
    )

    assert answer.code == "EMAIL_TAKEN"
    assert await types(database) == REGISTRATION


async def test_nothing_is_written_without_webhooks(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    services: Services = app.state.gatehouse.services
    async with app.router.lifespan_context(app), services.database.writing() as session:
        assert SUBSCRIPTIONS not in session.info


def test_every_security_event_says_what_it_publishes() -> None:
    assert list(EVENT_TYPES) == list(EventKind)


def test_an_event_is_read_as_it_was_written() -> None:
    at = datetime(2026, 11, 26, 12, 30, 15, 250_000, UTC)
    event = Event(EventType.SESSION_ENDED, uuid4(), uuid4(), uuid4(), at)

    assert Event.parse(event.body()) == event


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*"], set(EventType)),
        (["session.ended"], {EventType.SESSION_ENDED}),
        (["session.*", "user.deleted"], {*list(EventType)[6:8], EventType.USER_DELETED}),
    ],
)
def test_patterns_choose_events(patterns: list[str], expected: set[EventType]) -> None:
    assert types_matching(patterns) == expected


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no event matches user\.delete"):
        types_matching(["user.delete"])
