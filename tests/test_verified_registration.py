"""Registration with the proof of the email first."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from api.app import create_app
from api.mail import render_row
from db.models import OutboxRow, Ticket, User
from domain import tickets
from domain.authentication.mail_requests import LIFETIME
from domain.mail.render import part_of
from domain.mail.undeliverable import mark_undeliverable
from domain.retention import prune
from domain.services import Services
from domain.tickets import TicketKind
from settings import Settings
from tests.browsers import APP, COOKIE, BrowserPage, client_at
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.mail_proofs import DATA_KEY
from tests.operations import FINISH_REGISTRATION, LOGIN, ME, REGISTER, START_REGISTRATION
from tests.outboxes import rows
from tests.security_events import event_kinds
from tests.statements import statements
from tests.users import Answer, GraphQL, RegisteredUser

CODE = re.compile(r"^ +(\d{6})$", re.MULTILINE)
EMAIL, PASSWORD = "new@example.com", "analytical engine"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(
        database_url,
        data_key=DATA_KEY,
        public_url="https://accounts.example.com",
        cors_origins=APP,
    )


@dataclass(frozen=True)
class Pending:
    """What the browser of a new user keeps, and the code in their mail."""

    ticket: str
    code: str

    @property
    def wrong_code(self) -> str:
        return f"{(int(self.code) + 1) % 10**6:06}"


async def start(
    graphql: GraphQL, username: str = "Newcomer", email: str = EMAIL, password: str = PASSWORD
) -> Answer:
    return await graphql(START_REGISTRATION, username=username, email=email, password=password)


async def finish(graphql: GraphQL, ticket: str, code: str, username: str | None = None) -> Answer:
    return await graphql(FINISH_REGISTRATION, ticket=ticket, code=code, username=username)


async def texts(app: FastAPI) -> list[tuple[str, str]]:
    """Return the recipient and the text of each mail, the oldest first."""
    state = app.state.gatehouse

    def text(row: OutboxRow) -> str:
        return part_of(render_row(state.mail_renderer, state.services.data_keys, row), "plain")

    found = await rows(state.services.database)
    return [(row.payload["to"], text(row)) for row in found if row.payload]


async def pending(
    app: FastAPI, graphql: GraphQL, username: str = "Newcomer", email: str = EMAIL
) -> Pending:
    answer = await start(graphql, username, email)
    assert answer.errors == []
    to, text = (await texts(app))[-1]
    found = CODE.search(text)
    assert to == email
    assert found
    return Pending(answer.data["startRegistration"]["ticket"], found[1])


async def number_of(services: Services, model: type[User | Ticket]) -> int:
    async with services.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model)) or 0


@pytest.fixture
async def newcomer(app: FastAPI, graphql: GraphQL) -> Pending:
    return await pending(app, graphql)


async def test_an_account_is_created_when_its_email_is_proven(
    services: Services, graphql: GraphQL, newcomer: Pending
) -> None:
    before = await graphql(LOGIN, username="Newcomer", password=PASSWORD)
    finished = await finish(graphql, newcomer.ticket, f"{newcomer.code[:3]} {newcomer.code[3:]}")
    token = finished.data["finishRegistration"]

    assert before.code == "INVALID_CREDENTIALS"
    assert token["user"]["username"] == "Newcomer"
    assert token["user"]["email"] == EMAIL
    me = await graphql("{ me { emailVerified sessions { method } } }", by=token["accessToken"])
    assert me.data["me"] == {"emailVerified": True, "sessions": [{"method": "REGISTRATION"}]}
    assert (await graphql(LOGIN, username=EMAIL, password=PASSWORD)).errors == []
    # Neither the hash nor the email is kept twice.
    assert await number_of(services, Ticket) == 0


async def test_the_answer_is_the_same_for_an_email_that_is_taken(
    client: httpx.AsyncClient, ada: RegisteredUser
) -> None:
    answers = []
    for email in (ada.email, EMAIL):
        user = {"username": "Newcomer", "email": email, "password": PASSWORD}
        with statements() as executed:
            response = await client.post(
                "/graphql", json={"query": START_REGISTRATION, "variables": user}
            )
        ticket = response.json()["data"]["startRegistration"]["ticket"]
        headers = {k: v for k, v in response.headers.items() if k not in ("x-request-id", "date")}
        work = [sql for sql, _ in executed]
        answers.append((len(ticket), response.text.replace(ticket, ""), headers, work))

    assert answers[0] == answers[1]
    assert '"expiresIn":600' in answers[0][1].replace(" ", "")
    assert len(answers[0][3]) >= 3


async def test_the_owner_of_a_taken_email_is_told_and_nobody_gets_a_code(
    app: FastAPI, services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await start(graphql, "Ada2", " ADA@Example.com ", "another password")
    to, text = (await texts(app))[-1]

    assert to == ada.email
    assert "You already have" not in text
    assert "It already has one" in text
    assert not CODE.search(text)
    assert "Ada" not in text
    # Not even with the code that nobody was told.
    async with services.database.reading() as session:
        kind = TicketKind.REGISTRATION
        ticket = (await session.scalars(select(Ticket).where(Ticket.kind == kind))).one()
    code = tickets.code(services.require_mailer().keys, kind, ticket.id)
    refused = await finish(graphql, answer.data["startRegistration"]["ticket"], code)
    assert refused.code == "EMAIL_TAKEN"


async def test_an_owner_whose_mailbox_does_not_exist_gets_no_mail(
    app: FastAPI, services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await mark_undeliverable(services.database, ada.email)
    before = len(await texts(app))

    assert (await start(graphql, "Ada2", ada.email)).errors == []
    assert len(await texts(app)) == before


async def test_the_mail_has_no_username_and_the_outbox_and_the_ticket_no_secret(
    app: FastAPI, services: Services, graphql: GraphQL
) -> None:
    new = await pending(app, graphql, "visit.evil.com")
    [(_, text)] = await texts(app)
    [mail] = await rows(services.database)
    async with services.database.reading() as session:
        ticket = (await session.scalars(select(Ticket))).one()
    stored = f"{mail.payload} {ticket.state} {ticket.secret_hash}"

    assert "evil" not in text
    assert f"/account/sign-up#code={new.code}" in text
    for secret in (PASSWORD, new.code, new.ticket, new.ticket[-43:]):
        assert secret not in stored


WRONG_INPUTS = (
    {"username": "a", "email": "nobody", "password": "short"},
    {"username": "visit evil.com"},
    {"username": "Ada\r\nBcc: eve@example.com"},
    {"username": "а" * 5},
    {"username": "a" * 10_000},
    {"email": "a@example.com\r\nBcc: eve@example.com"},
    {"email": "a@example.com\0"},
    {"email": "a@ex\u200bample.com"},
    {"email": "ädä@example.com"},
    {"email": "a" * 10_000 + "@example.com"},
    {"email": "a@example.com> SIZE=1"},
    {"password": "password1"},
    {"password": "x" * 10_000},
    {"password": EMAIL},
)


async def test_invalid_input_is_refused_as_by_register(
    services: Services, graphql: GraphQL
) -> None:
    for wrong in WRONG_INPUTS:
        user = {"username": "Newcomer", "email": EMAIL, "password": PASSWORD} | wrong
        started = await graphql(START_REGISTRATION, **user)
        registered = await graphql(REGISTER, **user)

        assert started.code == registered.code == "INVALID_INPUT", wrong
        assert started.fields == registered.fields
        assert sorted(started.fields) == sorted(wrong)
    assert await rows(services.database) == []


async def test_a_look_alike_of_a_domain_is_another_address(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    """With a Cyrillic letter."""
    assert (await start(graphql, email="ada@exаmple.com")).errors == []

    to, text = (await texts(app))[-1]
    assert to == "ada@exаmple.com"
    assert CODE.search(text)


async def test_a_wrong_code_creates_nothing(
    services: Services, graphql: GraphQL, newcomer: Pending
) -> None:
    for wrong in ("", "１２３４５６", "\0", "1" * 10_000, "\ud800"):
        answer = await finish(graphql, newcomer.ticket, wrong)

        assert answer.code == "INVALID_CODE"
        assert list(answer.fields) == ["code"]
    assert await number_of(services, User) == 0
    # The sixth one is not judged.
    assert (await finish(graphql, newcomer.ticket, newcomer.code)).code == "INVALID_CODE"


async def test_a_code_works_only_in_the_browser_that_asked_for_it(
    app: FastAPI, graphql: GraphQL, newcomer: Pending
) -> None:
    elsewhere = await pending(app, graphql)

    for ticket in (elsewhere.ticket, "", "A" * 64, "x" * 10_000, "é"):
        assert (await finish(graphql, ticket, newcomer.code)).code == "INVALID_CODE"
    assert (await finish(graphql, newcomer.ticket, newcomer.code)).errors == []


async def test_a_code_works_for_ten_minutes_and_the_ticket_is_then_deleted(
    services: Services, graphql: GraphQL, newcomer: Pending
) -> None:
    with moved_clock(LIFETIME + timedelta(seconds=1)):
        late = await finish(graphql, newcomer.ticket, newcomer.code)
        await prune(services.database, kept_for=timedelta(days=90))

    assert timedelta(minutes=10) == LIFETIME
    assert late.code == "INVALID_CODE"
    assert await number_of(services, Ticket) == 0


async def test_a_username_that_is_taken_can_be_replaced_with_the_same_code(
    database_url: str,
) -> None:
    app = create_app(settings_for(database_url, data_key=DATA_KEY, code_limit_per_account="2/day"))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        await graphql(REGISTER, username="Ada", email="a@example.com", password=PASSWORD)
        new = await pending(app, graphql, "ada")
        refused = [await finish(graphql, new.ticket, new.code, name) for name in (None, "ADA")]
        invalid = await finish(graphql, new.ticket, new.code, "a")
        # Who does not have the code learns nothing of usernames.
        wrong = await finish(graphql, new.ticket, new.wrong_code, "Ada")
        finished = await finish(graphql, new.ticket, new.code, "Lovelace")

    assert [(answer.code, list(answer.fields)) for answer in refused] == [
        ("USERNAME_TAKEN", ["username"])
    ] * 2
    assert (invalid.code, list(invalid.fields)) == ("INVALID_INPUT", ["username"])
    assert wrong.code == "INVALID_CODE"
    assert finished.data["finishRegistration"]["user"]["username"] == "Lovelace"


async def test_of_eight_who_finish_one_ticket_one_does(
    services: Services, graphql: GraphQL, newcomer: Pending
) -> None:
    answers = await asyncio.gather(
        *(finish(graphql, newcomer.ticket, newcomer.code) for _ in range(8))
    )

    assert [answer.errors == [] for answer in answers].count(True) == 1
    assert {answer.code for answer in answers if answer.errors} == {"INVALID_CODE"}
    assert await number_of(services, User) == 1


async def test_of_two_who_prove_one_address_and_one_who_registers_it_one_has_it(
    app: FastAPI, services: Services, graphql: GraphQL
) -> None:
    one, other = await pending(app, graphql, "One"), await pending(app, graphql, "Other")
    answers = await asyncio.gather(
        finish(graphql, one.ticket, one.code),
        finish(graphql, other.ticket, other.code),
        graphql(REGISTER, username="Third", email=EMAIL, password=PASSWORD),
    )

    assert [answer.errors == [] for answer in answers].count(True) == 1
    assert {answer.code for answer in answers if answer.errors} == {"EMAIL_TAKEN"}
    assert await number_of(services, User) == 1


async def test_codes_are_limited_for_an_address_whichever_ticket_they_are_for(
    database_url: str,
) -> None:
    app = create_app(settings_for(database_url, data_key=DATA_KEY, code_limit_per_account="2/day"))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        first = await pending(app, graphql)
        for _ in range(2):
            assert (await finish(graphql, first.ticket, first.wrong_code)).code == "INVALID_CODE"
        second = await pending(app, graphql)
        limited = await finish(graphql, second.ticket, second.code)
        other = await pending(app, graphql, email="other@example.com")
        unlimited = await finish(graphql, other.ticket, other.code)

    assert limited.code == "TOO_MANY_ATTEMPTS"
    assert unlimited.errors == []


async def test_starts_are_limited_for_an_address_and_for_a_network(database_url: str) -> None:
    limits = {"mail_limit_per_address": "1/minute", "register_limit_per_network": "3/minute"}
    app = create_app(settings_for(database_url, data_key=DATA_KEY, **limits))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        first = await start(graphql)
        again = await start(graphql, email=EMAIL.upper())
        other = await start(graphql, email="other@example.com")
        fourth = await start(graphql, email="fourth@example.com")

    assert first.data["startRegistration"]["retryAfter"] == 60
    assert other.errors == []
    assert again.code == fourth.code == "TOO_MANY_ATTEMPTS"


async def test_the_cookie_of_a_browser_is_set_as_by_register(
    app: FastAPI, graphql: GraphQL, newcomer: Pending
) -> None:
    async with client_at(app, "https://accounts.example.com") as client:
        page = BrowserPage(client)
        variables: dict[str, Any] = {"ticket": newcomer.ticket, "code": newcomer.code}
        token = await page.data(FINISH_REGISTRATION, **variables)

    assert token["refreshToken"] == "cookie"
    assert len(page.cookies[COOKIE]) == 64


async def test_get_and_head_create_nothing(
    client: httpx.AsyncClient, graphql: GraphQL, newcomer: Pending
) -> None:
    arguments = f'ticket: "{newcomer.ticket}", code: "{newcomer.code}"'
    query = f"mutation {{ finishRegistration({arguments}) {{ accessToken }} }}"
    for method in ("GET", "HEAD"):
        refused = await client.request(method, "/graphql", params={"query": query})
        assert refused.status_code == 405

    assert (await finish(graphql, newcomer.ticket, newcomer.code)).errors == []


async def test_where_emails_are_proven_first_register_is_refused_and_users_still_sign_in(
    database_url: str,
) -> None:
    before = create_app(settings_for(database_url))
    async with before.router.lifespan_context(before), client_of(before) as client:
        await GraphQL(client)(REGISTER, username="Ada", email="a@example.com", password=PASSWORD)
    app = create_app(settings_for(database_url, data_key=DATA_KEY, require_verified_email=True))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        refused = await graphql(REGISTER, username="a", email=EMAIL, password=PASSWORD)
        login = await graphql(LOGIN, username="Ada", password=PASSWORD)
        me = await graphql(ME, by=login.data["login"]["accessToken"])
        new = await pending(app, graphql)
        finished = await finish(graphql, new.ticket, new.code)

    assert refused.code == "EMAIL_NOT_VERIFIED"
    assert refused.error["message"].startswith("Use startRegistration: ")
    assert me.errors == finished.errors == []


async def test_without_mail_both_steps_say_so(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        started = await start(GraphQL(client))
        finished = await finish(GraphQL(client), "A" * 64, "123456")

    assert started.code == finished.code == "MAIL_NOT_CONFIGURED"


async def test_one_event_tells_of_the_new_account(graphql: GraphQL, newcomer: Pending) -> None:
    token = (await finish(graphql, newcomer.ticket, newcomer.code)).data["finishRegistration"]
    user = RegisteredUser("", "", EMAIL, PASSWORD, token["accessToken"], token["refreshToken"])

    assert await event_kinds(graphql, user) == ["REGISTERED"]
