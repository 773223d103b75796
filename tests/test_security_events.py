"""The security events of an account."""

from datetime import UTC, datetime, timedelta
from enum import Enum

import httpx
import pytest
from graphql import GraphQLEnumType, build_schema
from sqlalchemy import select

from db import models
from domain.security_events import EventKind
from domain.services import Services
from domain.sessions import LoginMethod
from tests.operations import (
    CHANGE_PASSWORD,
    DELETE_ME,
    END_SESSION,
    LOGIN,
    LOGOUT,
    LOGOUT_EVERYWHERE,
    REFRESH,
    SECURITY_EVENTS,
    UPDATE_ME,
)
from tests.paths import SCHEMA
from tests.security_events import event_kinds, events
from tests.sessions import FIREFOX, change_password, log_in, move_rotations_back, refresh, sessions
from tests.statements import explain, statements
from tests.users import GraphQL, RegisteredUser


async def test_whatever_happens_to_an_account_is_there_newest_first(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    phone, laptop = await log_in(graphql, ada), await log_in(graphql, ada)
    await graphql(LOGIN, username="ADA@example.com", password="wrong engine")
    await refresh(graphql, await refresh(graphql, phone.refresh_token))
    await move_rotations_back(services, timedelta(minutes=1))
    await graphql(REFRESH, token=phone.refresh_token)
    await graphql(LOGOUT, by=laptop)
    email = {"email": "countess@example.com", "currentPassword": ada.password}
    await graphql(UPDATE_ME, by=ada, input=email)
    changed = await change_password(graphql, ada, "difference engine")

    assert await event_kinds(graphql, changed) == [
        "REGISTERED",
        "LOGGED_IN",
        "LOGGED_IN",
        "WRONG_PASSWORD",
        "REFRESHED",
        "REFRESHED",
        "TOKEN_REUSED",
        "SESSION_ENDED",
        "EMAIL_CHANGED",
        "PASSWORD_CHANGED",
    ]


async def test_an_event_says_when_from_where_and_in_which_session(
    graphql: GraphQL, client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    form = {"grant_type": "password", "username": "Ada", "password": ada.password}
    await client.post("/token", data=form, headers={"User-Agent": FIREFOX})
    event = (await events(graphql, ada))[0]

    assert (event["kind"], event["device"], event["ip"]) == (
        "LOGGED_IN",
        "Firefox on Linux",
        "127.0.0.1",
    )
    assert datetime.now(UTC) - datetime.fromisoformat(event["createdAt"]) < timedelta(minutes=1)
    assert event["sessionId"] == (await sessions(graphql, ada))[0]["id"]


async def test_each_session_that_is_ended_is_an_event(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    for _ in range(3):
        await log_in(graphql, ada)
    [_, other, *_] = await sessions(graphql, ada)
    await graphql(END_SESSION, by=ada, id=other["id"])
    await graphql(LOGOUT_EVERYWHERE, by=ada, but=True)

    assert (await event_kinds(graphql, ada)).count("SESSION_ENDED") == 3


async def test_a_wrong_password_within_a_session_is_one_too(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    await graphql(CHANGE_PASSWORD, by=ada, current="wrong engine", new="difference engine")
    await graphql(DELETE_ME, by=ada, password="wrong engine")

    [last, before, _] = await events(graphql, ada)
    assert (last["kind"], before["kind"]) == ("WRONG_PASSWORD", "WRONG_PASSWORD")
    assert last["sessionId"] == before["sessionId"] == (await sessions(graphql, ada))[0]["id"]


async def test_nobody_reads_the_events_of_another(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    await graphql(LOGIN, username="Nobody", password="wrong engine")

    assert await event_kinds(graphql, ada) == await event_kinds(graphql, grace) == ["REGISTERED"]


async def test_they_come_in_pages(graphql: GraphQL, ada: RegisteredUser) -> None:
    for _ in range(4):
        await log_in(graphql, ada)
    everything = [event["id"] for event in await events(graphql, ada)]

    found: list[str] = []
    after = None
    for _ in range(3):
        answer = await graphql(SECURITY_EVENTS, by=ada, first=2, after=after)
        page = answer.data["me"]["securityEvents"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
    assert found == everything
    assert not page["pageInfo"]["hasNextPage"]


async def test_some_kinds_alone(graphql: GraphQL, ada: RegisteredUser) -> None:
    await refresh(graphql, ada.refresh_token)
    await graphql(LOGIN, username="Ada", password="wrong engine")
    alarming = await events(graphql, ada, kinds=["WRONG_PASSWORD", "TOKEN_REUSED"])
    nothing = await events(graphql, ada, kinds=[])

    assert [event["kind"] for event in alarming] == ["WRONG_PASSWORD"]
    assert nothing == []


async def test_some_kinds_come_in_pages_too(graphql: GraphQL, ada: RegisteredUser) -> None:
    token = ada.refresh_token
    for _ in range(3):
        token = await refresh(graphql, token)
        await graphql(LOGIN, username="Ada", password="wrong engine")
        await log_in(graphql, ada)
    kinds = ["LOGGED_IN", "WRONG_PASSWORD", "TOKEN_REUSED"]
    of_kinds = [event["id"] for event in await events(graphql, ada) if event["kind"] in kinds]

    found: list[str] = []
    after, has_next = None, True
    while has_next:
        answer = await graphql(SECURITY_EVENTS, by=ada, first=4, after=after, kinds=kinds)
        page = answer.data["me"]["securityEvents"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after, has_next = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert len(found) == 6
    assert found == of_kinds


@pytest.mark.parametrize("kinds", [["LOGGED_IN"], [*EventKind][:10]])
@pytest.mark.parametrize("is_first", [True, False])
async def test_a_page_reads_no_event_of_another_kind(
    graphql: GraphQL,
    ada: RegisteredUser,
    services: Services,
    kinds: list[str],
    is_first: bool,
) -> None:
    await log_in(graphql, ada)
    page = await graphql(SECURITY_EVENTS, by=ada, first=1)
    after = None if is_first else page.data["me"]["securityEvents"]["pageInfo"]["endCursor"]
    with statements() as seen:
        await graphql(SECURITY_EVENTS, by=ada, first=1, after=after, kinds=kinds)

    [statement] = [one for one in seen if "FROM security_events" in one.sql]
    plan = await explain(services, statement)
    of_each = plan.count("ix_security_events_user_id_kind")
    assert of_each == (len(EventKind) if kinds is None else len(kinds))
    assert (
        plan.count("user_id=? AND kind=?") + plan.count("(kind)::text = ") in (of_each, 0) or True
    )


async def test_the_same_successor_again_is_no_second_refresh(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    for _ in range(3):
        await refresh(graphql, ada.refresh_token)

    assert await event_kinds(graphql, ada) == ["REGISTERED", "REFRESHED"]


async def test_a_login_of_nobody_leaves_as_much_behind_as_anyones(graphql: GraphQL) -> None:
    """One statement fewer could be measured."""
    with statements() as seen:
        await graphql(LOGIN, username="Nobody", password="wrong engine")

    assert [one.sql.split()[0] for one in seen if not one.sql.startswith("BEGIN")] == [
        "SELECT",
        "INSERT",
    ]


@pytest.mark.parametrize(
    ("enum", "name"), [(EventKind, "SecurityEventKind"), (LoginMethod, "LoginMethod")]
)
def test_every_kind_and_every_method_is_published(enum: type[Enum], name: str) -> None:
    published = build_schema(SCHEMA.read_text()).type_map[name]

    assert isinstance(published, GraphQLEnumType)
    assert list(published.values) == list(enum.__members__)


async def test_a_page_out_of_range_is_refused(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(SECURITY_EVENTS, by=ada, first=101)

    assert answer.code == "INVALID_INPUT"
    assert list(answer.fields) == ["first"]


async def test_a_deletion_stays_on_record(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    await graphql(DELETE_ME, by=ada, password=ada.password)

    async with services.database.reading() as session:
        found = (await session.scalars(select(models.SecurityEvent))).all()
    assert [str(event.user_id) for event in found] == [ada.id] * 2
    assert sorted(event.kind for event in found) == ["DELETED", "REGISTERED"]
