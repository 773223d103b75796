"""Hooks in code: what they are given, what they change, and what happens if one is wrong."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from jose import jwt

from api.app import create_app
from db.database import Database
from domain.access_tokens.tokens import MAX_LENGTH
from domain.hooks import Account, ClaimValue, Draft, Event, Hooks, Session, calls
from domain.hooks.calls import REGISTERED_CLAIMS
from domain.hooks.send import EventHookSender
from domain.observer import SILENT, DeliveryOutcome, Observer
from domain.services import Services
from settings import Settings
from tests.commands import run
from tests.conftest import SECRET_KEY, client_of, settings_for
from tests.operations import LOGIN, ME, REFRESH, REGISTER
from tests.outboxes import let_pass, rows
from tests.servers import TIMEOUT_SECONDS
from tests.users import GraphQL, RegisteredUser, register_user

HERE = "tests.test_hooks"

NOW = datetime.now(UTC)
ACCOUNT = Account(uuid4(), "Ada", "ada@example.com", True, NOW)
SESSION = Session(uuid4(), "LOGIN", ("pwd",), NOW)


class Recorded:
    """Hooks that do as a test tells them, and record what they were given."""

    added: Any = {}  # noqa: RUF012
    refusals: Any = []  # noqa: RUF012
    drafts: list[Draft]
    events: list[Event]
    accounts: list[tuple[Account, Session]]
    told: asyncio.Event
    fails = False

    def claims(self, account: Account, session: Session) -> Mapping[str, ClaimValue]:
        self.accounts.append((account, session))
        claims: Mapping[str, ClaimValue] = self.added() if callable(self.added) else self.added
        return claims

    async def before_register(self, draft: Draft) -> list[str]:
        self.drafts.append(draft)
        sentences: list[str] = await self.refusals() if callable(self.refusals) else self.refusals
        return sentences

    async def on_event(self, event: Event) -> None:
        self.events.append(event)
        self.told.set()
        if self.fails:
            raise RuntimeError(event.user_id)


class Counted(Observer):
    def __init__(self) -> None:
        self.failed: list[str] = []
        self.outcomes: list[DeliveryOutcome] = []

    def hook_failed(self, hook: str) -> None:
        self.failed.append(hook)

    def event_hook_ended(self, outcome: DeliveryOutcome) -> None:
        self.outcomes.append(outcome)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, hooks=f"{HERE}:Recorded")


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> type[Recorded]:
    monkeypatch.setattr(Recorded, "drafts", [], raising=False)
    monkeypatch.setattr(Recorded, "events", [], raising=False)
    monkeypatch.setattr(Recorded, "accounts", [], raising=False)
    monkeypatch.setattr(Recorded, "told", asyncio.Event(), raising=False)
    return Recorded


@pytest.fixture
async def app(settings: Settings, hooks: type[Recorded]) -> AsyncIterator[FastAPI]:
    """Yield an app that tells no hook about events by itself."""
    app = create_app(settings)
    app.state.gatehouse.senders.clear()
    async with app.router.lifespan_context(app):
        yield app


def claims_of(token: str) -> dict[str, Any]:
    return jwt.get_unverified_claims(token)


# ---- claims ----


async def test_claims_are_in_the_token_of_each_sign_in_and_refresh(
    graphql: GraphQL,
    client: httpx.AsyncClient,
    hooks: type[Recorded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hooks, "added", {"plan": "pro", "seats": 3, "beta": True, "teams": ["a"]})
    ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
    login = await graphql(LOGIN, username="Ada", password=ada.password)
    refreshed = await graphql(REFRESH, token=ada.refresh_token)
    form = {"grant_type": "password", "username": "Ada", "password": ada.password}
    token = (await client.post("/token", data=form)).json()["access_token"]

    tokens = [
        ada.token,
        login.data["login"]["accessToken"],
        refreshed.data["refresh"]["accessToken"],
        token,
    ]
    for claims in map(claims_of, tokens):
        assert {name: claims[name] for name in hooks.added} == hooks.added
        assert claims["sub"] == ada.id
    assert (await graphql(ME, by=tokens[2])).data["me"]["id"] == ada.id


async def test_the_hook_is_given_the_account_and_the_session(
    hooks: type[Recorded], ada: RegisteredUser
) -> None:
    [(account, session)] = hooks.accounts

    assert (str(account.id), account.username, account.email) == (ada.id, "Ada", ada.email)
    assert not account.email_verified
    assert (session.method, session.amr) == ("REGISTRATION", ("pwd",))
    assert str(session.id) == claims_of(ada.token)["sid"]
    assert ada.email not in repr(account)


def fail() -> None:
    raise RuntimeError("ada@example.com")


def leave() -> None:
    raise SystemExit("ada@example.com")


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        (fail, "RuntimeError"),
        (leave, "SystemExit"),
        (None, "something other than names"),
        ("plan", "something other than names"),
        ({"plan": 1.5}, "something other than names"),
        ({"plan": None}, "something other than names"),
        ({"plan": {"a": "b"}}, "something other than names"),
        ({"plan": ["a", 1]}, "something other than names"),
        ({1: "a"}, "something other than names"),
        ({"": "a"}, "something other than names"),
        ({"plan": "x" * 1014}, "more than 1024 bytes"),
        ({"plan": "pro", "sub": "someone else"}, "the registered claim sub"),
        ({"roles": ["ADMIN"]}, "the registered claim roles"),
    ],
)
async def test_a_hook_that_is_wrong_adds_nothing_and_keeps_no_one_out(
    graphql: GraphQL,
    hooks: type[Recorded],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    added: Any,
    reason: str,
) -> None:
    monkeypatch.setattr(hooks, "added", staticmethod(added) if callable(added) else added)
    ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")

    assert "plan" not in claims_of(ada.token)
    assert (await graphql(ME, by=ada)).data["me"]["id"] == ada.id
    [logged] = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert logged.getMessage().startswith("The hook claims failed: ")
    assert reason in logged.getMessage()
    assert "ada@example.com" not in logged.getMessage()


@pytest.mark.any_database
@pytest.mark.parametrize("claim", sorted(REGISTERED_CLAIMS))
def test_no_registered_claim_can_be_set(claim: str) -> None:
    counted = Counted()
    hooks = Hooks(SimpleNamespace(claims=lambda account, session: {claim: "x"}), counted)

    assert hooks.claims(ACCOUNT, SESSION) == {}
    assert counted.failed == ["claims"]


async def test_every_claim_of_a_token_is_registered(ada: RegisteredUser) -> None:
    assert set(claims_of(ada.token)) <= REGISTERED_CLAIMS


def test_a_hook_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "CLAIMS_TIMEOUT", timedelta(milliseconds=20))
    goes_on, counted = threading.Event(), Counted()

    def hang(account: Account, session: Session) -> Mapping[str, ClaimValue]:
        number_of_calls.append(1)
        goes_on.wait()
        return {"plan": "pro"}

    number_of_calls: list[int] = []
    hooks = Hooks(SimpleNamespace(claims=hang), counted)
    assert hooks.claims(ACCOUNT, SESSION) == {}
    assert hooks.claims(ACCOUNT, SESSION) == {}
    assert len(number_of_calls) == 1
    assert counted.failed == ["claims", "claims"]

    stuck = hooks._running
    assert stuck
    goes_on.set()
    stuck.join(TIMEOUT_SECONDS)
    monkeypatch.undo()
    assert hooks.claims(ACCOUNT, SESSION) == {"plan": "pro"}


async def test_claims_that_make_a_token_too_long_are_left_out(
    database_url: str, hooks: type[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "added", {"plan": "x" * 1000})
    path = "/".join(["long"] * 200)
    app = create_app(
        settings_for(
            database_url,
            hooks=f"{HERE}:Recorded",
            public_url=f"https://accounts.example.com/{path}",
        )
    )
    async with app.router.lifespan_context(app):
        graphql = GraphQL(client_of(app))
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")

    assert len(ada.token) <= MAX_LENGTH
    assert "plan" not in claims_of(ada.token)


async def test_claims_hold_no_connection_and_no_transaction(
    app: FastAPI, graphql: GraphQL, hooks: type[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_use: list[int] = []

    def count() -> Mapping[str, ClaimValue]:
        in_use.append(connections_of(app))
        return {}

    monkeypatch.setattr(hooks, "added", staticmethod(count))
    ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
    await graphql(LOGIN, username="Ada", password=ada.password)
    await graphql(REFRESH, token=ada.refresh_token)

    assert in_use == [0, 0, 0]


async def test_a_login_does_not_wait_for_a_hook_that_hangs(
    graphql: GraphQL,
    ada: RegisteredUser,
    hooks: type[Recorded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr(calls, "CLAIMS_TIMEOUT", timedelta(milliseconds=20))
    monkeypatch.setattr(hooks, "added", staticmethod(goes_on.wait))
    answers = [await graphql(LOGIN, username="Ada", password=ada.password) for _ in range(3)]
    goes_on.set()

    assert [answer.errors for answer in answers] == [[], [], []]
    # That of the registration, and the one that hangs.
    assert len(hooks.accounts) == 2


# ---- before_register ----


async def test_a_refusal_reaches_the_user_and_nothing_is_written(
    services: Services,
    graphql: GraphQL,
    hooks: type[Recorded],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sentences = ["Only addresses of example.org may register.", "Ask the board."]
    monkeypatch.setattr(hooks, "refusals", sentences)
    answer = await graphql(REGISTER, username="Ada ", email="ada@example.com", password="x" * 9)

    assert answer.code == "INVALID_INPUT"
    assert answer.error["message"] == " ".join(sentences)
    [draft] = hooks.drafts
    assert draft == Draft("Ada", "ada@example.com", False, None, "127.0.0.1")
    assert "ada@example.com" not in repr(draft)
    assert await rows(services.database) == []


@pytest.mark.parametrize("wrong", [None, "No.", [1], [""]])
async def test_a_wrong_answer_of_before_register_is_an_internal_error(
    graphql: GraphQL, hooks: type[Recorded], monkeypatch: pytest.MonkeyPatch, wrong: Any
) -> None:
    monkeypatch.setattr(hooks, "refusals", wrong)
    answer = await graphql(REGISTER, username="Ada", email="ada@example.com", password="x" * 9)

    assert answer.code == "INTERNAL_ERROR"


async def hang() -> None:
    """Hang, and ignore that it is cancelled."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


async def crash() -> None:
    raise RuntimeError("ada@example.com")


@pytest.mark.parametrize("refusals", [hang, crash])
async def test_a_hook_that_hangs_or_crashes_is_an_internal_error_and_nothing_is_written(
    app: FastAPI,
    graphql: GraphQL,
    hooks: type[Recorded],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    refusals: Any,
) -> None:
    monkeypatch.setattr(calls, "BEFORE_REGISTER_TIMEOUT", timedelta(milliseconds=20))
    monkeypatch.setattr(hooks, "refusals", staticmethod(refusals))
    answer = await graphql(REGISTER, username="Ada", email="ada@example.com", password="x" * 9)

    assert answer.code == "INTERNAL_ERROR"
    assert "The hook before_register failed: " in caplog.text
    assert "ada@example.com" not in caplog.text
    monkeypatch.setattr(hooks, "refusals", [])
    assert await register_user(graphql, "Ada", "ada@example.com", "analytical engine")


async def test_before_register_holds_no_connection(
    app: FastAPI, graphql: GraphQL, hooks: type[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    in_use: list[int] = []

    async def count() -> list[str]:
        in_use.append(connections_of(app))
        return []

    monkeypatch.setattr(hooks, "refusals", staticmethod(count))
    await register_user(graphql, "Ada", "ada@example.com", "analytical engine")

    assert in_use == [0]


# ---- on_event ----


async def test_on_event_is_told_after_the_commit(settings: Settings, hooks: type[Recorded]) -> None:
    app = create_app(settings)
    async with app.router.lifespan_context(app), asyncio.timeout(TIMEOUT_SECONDS):
        ada = await register_user(GraphQL(client_of(app)), "Ada", "ada@example.com", "x" * 9)
        while len(hooks.events) < 2:
            await hooks.told.wait()
            hooks.told.clear()

    assert {event.type for event in hooks.events} == {"user.registered", "session.started"}
    assert {str(event.user_id) for event in hooks.events} == {ada.id}


async def test_an_event_that_fails_is_told_again_on_the_schedule_of_webhooks(
    services: Services,
    ada: RegisteredUser,
    hooks: type[Recorded],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(hooks, "fails", True)
    counted, database = Counted(), services.database
    sender = EventHookSender(database, Hooks(hooks(), counted), counted)
    await sender.send_due()
    assert {one.error for one in await rows(database)} == {"RuntimeError"}

    monkeypatch.setattr(hooks, "fails", False)
    await let_pass(database, timedelta(seconds=6))
    await sender.send_due()
    assert all(one.done_at for one in await rows(database))
    assert len(hooks.events) == 4
    assert [str(one) for one in counted.outcomes] == ["RETRIED", "RETRIED", "SENT", "SENT"]
    assert ada.id not in caplog.text


async def test_on_event_holds_no_connection(app: FastAPI, ada: RegisteredUser) -> None:
    in_use: list[int] = []

    class Counting:
        async def on_event(self, event: Event) -> None:
            in_use.append(connections_of(app))

    database: Database = app.state.gatehouse.services.database
    await EventHookSender(database, Hooks(Counting(), SILENT), SILENT).send_due()

    assert in_use == [0, 0]


async def test_an_event_hook_that_hangs_is_cut_off(
    services: Services, ada: RegisteredUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        async def on_event(self, event: Event) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(calls, "ON_EVENT_TIMEOUT", timedelta(milliseconds=20))
    await EventHookSender(services.database, Hooks(Slow(), SILENT), SILENT).send_due()

    assert {one.error for one in await rows(services.database)} == {"no result within 0.02 seconds"}


# ---- HOOKS ----


@pytest.mark.any_database
async def test_without_on_event_no_event_is_written(database_url: str) -> None:
    app = create_app(settings_for(database_url, hooks=f"{HERE}:OnlyClaims"))
    async with app.router.lifespan_context(app):
        graphql = GraphQL(client_of(app))
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        assert await rows(app.state.gatehouse.services.database) == []

    assert claims_of(ada.token)["plan"] == "free"


class OnlyClaims:
    def claims(self, account: Account, session: Session) -> Mapping[str, ClaimValue]:
        return {"plan": "free"}


class Nothing:
    pass


class NotAsync:
    def on_event(self, event: Event) -> None: ...


class AsyncClaims:
    async def claims(self, account: Account, session: Session) -> Mapping[str, ClaimValue]:
        return {}


class Broken:
    def __init__(self) -> None:
        raise RuntimeError("no\nlicence")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("no.such.module:Hooks", "HOOKS cannot be used: ModuleNotFoundError: No module named 'no'"),
        (
            f"{HERE}:Missing",
            f"HOOKS cannot be used: AttributeError: module '{HERE}' has no attribute 'Missing'",
        ),
        (
            f"{HERE}:Nothing",
            "HOOKS: has none of the methods claims, before_register and on_event",
        ),
        (
            f"{HERE}:NotAsync",
            "HOOKS: on_event must be an async method",
        ),
        (
            f"{HERE}:AsyncClaims",
            "HOOKS: claims must not be an async method",
        ),
        (f"{HERE}:Broken", "HOOKS cannot be used: RuntimeError: no licence"),
        ("hooks", "HOOKS must be a module and a class such as package.module:Hooks"),
    ],
)
def test_hooks_that_cannot_be_used_are_one_line(tmp_path: Path, path: str, line: str) -> None:
    ended = run(["check"], tmp_path, SECRET_KEY=SECRET_KEY, HOOKS=path)

    assert (ended.status, ended.lines) == (1, [f"gatehouse: {line}"])


def test_hooks_are_found_in_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "hooks_of_a_test.py").write_text(
        "class Hooks:\n    def claims(self, account, session):\n        return {}\n"
    )
    ended = run(["check"], tmp_path, SECRET_KEY=SECRET_KEY, HOOKS="hooks_of_a_test:Hooks")

    assert "ok       HOOKS: hooks_of_a_test:Hooks: claims" in ended.lines


def connections_of(app: FastAPI) -> int:
    database: Database = app.state.gatehouse.services.database
    return sum(queue.in_use for queue in database.queues.values())
