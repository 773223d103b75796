"""`before_register` and the events of an account, for each way in which one is created."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from api.app import create_app
from api.mail import render_row
from db.database import Database
from db.models import OutboxRow, User
from domain.hooks import Draft, Event
from domain.mail.render import part_of
from domain.outbox import OutboxKind
from domain.services import Services
from settings import Settings
from tests.conftest import settings_for
from tests.identity_provider import IdentityProvider
from tests.mail_proofs import DATA_KEY
from tests.operations import FINISH_REGISTRATION, START_REGISTRATION
from tests.outboxes import rows
from tests.provider_sign_ins import Browser, finish, settings_of, sign_in
from tests.users import Answer, GraphQL
from tests.webhooks import types_of

EMAIL, PASSWORD = "new@example.com", "analytical engine"

CODE = re.compile(r"^ +(\d{6})$", re.MULTILINE)


class Board:
    """Refuses some usernames, and wants events."""

    drafts: list[Draft]
    connections: list[int]
    database: Database

    async def before_register(self, draft: Draft) -> list[str]:
        self.drafts.append(draft)
        self.connections.append(sum(queue.in_use for queue in self.database.queues.values()))
        return ["The board knows no one of this name."] if draft.username == "Nobody" else []

    async def on_event(self, event: Event) -> None: ...


@pytest.fixture
def settings(database_url: str, identity_provider: IdentityProvider) -> Settings:
    others = settings_of(identity_provider)
    return settings_for(database_url, data_key=DATA_KEY, hooks=f"{__name__}:Board", **others)


@pytest.fixture
async def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    app.state.gatehouse.senders.clear()
    for name, value in {
        "drafts": [],
        "connections": [],
        "database": app.state.gatehouse.services.database,
    }.items():
        monkeypatch.setattr(Board, name, value, raising=False)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def browser(graphql: GraphQL) -> Browser:
    return Browser(graphql.client)


async def start(graphql: GraphQL, username: str) -> Answer:
    return await graphql(START_REGISTRATION, username=username, email=EMAIL, password=PASSWORD)


async def code_of(app: FastAPI) -> str:
    """Return the code of the only mail."""
    state = app.state.gatehouse
    [mail] = await rows_of(state.services.database, OutboxKind.MAIL)
    message = render_row(state.mail_renderer, state.services.data_keys, mail)
    found = CODE.search(part_of(message, "plain"))
    assert found
    return found[1]


async def rows_of(database: Database, kind: OutboxKind) -> list[OutboxRow]:
    return [row for row in await rows(database) if row.kind == kind]


async def number_of_users(services: Services) -> int:
    async with services.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(User)) or 0


async def test_a_registration_by_mail_is_asked_at_its_start_and_at_its_end(
    app: FastAPI, services: Services, graphql: GraphQL
) -> None:
    started = await start(graphql, "Newcomer")
    ticket, code = started.data["startRegistration"]["ticket"], await code_of(app)
    refused = await graphql(FINISH_REGISTRATION, ticket=ticket, code=code, username="Nobody")
    assert (refused.code, await number_of_users(services)) == ("INVALID_INPUT", 0)
    finished = await graphql(FINISH_REGISTRATION, ticket=ticket, code=code)

    assert finished.errors == []
    assert Board.drafts == [
        Draft("Newcomer", EMAIL, False, None, "127.0.0.1"),
        Draft("Nobody", EMAIL, True, None, "127.0.0.1"),
        Draft("Newcomer", EMAIL, True, None, "127.0.0.1"),
    ]
    assert set(Board.connections) == {0}


async def test_a_refused_start_sends_no_mail(services: Services, graphql: GraphQL) -> None:
    answer = await start(graphql, "Nobody")

    assert answer.error["message"] == "The board knows no one of this name."
    assert await rows(services.database) == []


async def test_a_provider_does_not_get_around_the_hook(
    services: Services, graphql: GraphQL, browser: Browser
) -> None:
    code = await browser.code()
    refused = await finish(graphql, browser, code, username="Nobody")
    assert (refused.code, await number_of_users(services)) == ("INVALID_INPUT", 0)
    created = await finish(graphql, browser, code, username="Ada")

    assert created.errors == []
    assert Board.drafts[-1] == Draft("Ada", "ada@example.com", True, "work", "127.0.0.1")
    assert set(Board.connections) == {0}


async def test_a_sign_in_is_not_asked(graphql: GraphQL, browser: Browser) -> None:
    await sign_in(graphql, browser, username="Ada")
    await sign_in(graphql, browser)

    assert len(Board.drafts) == 1


@pytest.mark.parametrize("way", ["mail", "provider"])
async def test_an_account_with_a_proven_email_is_registered_and_verified(
    app: FastAPI, services: Services, graphql: GraphQL, browser: Browser, way: str
) -> None:
    answer: Any
    if way == "mail":
        ticket = (await start(graphql, "Newcomer")).data["startRegistration"]["ticket"]
        answer = await graphql(FINISH_REGISTRATION, ticket=ticket, code=await code_of(app))
    else:
        answer = await sign_in(graphql, browser, username="Ada")

    assert answer.errors == []
    told = types_of(await rows_of(services.database, OutboxKind.HOOK))
    assert told == ["session.started", "user.registered", "user.verified"]
