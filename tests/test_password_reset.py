"""Resetting a forgotten password by mail."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import undefer

from api.app import create_app
from api.mail import render_row
from db.models import OutboxRow, Ticket, User
from domain import accounts, tickets
from domain.authentication.mail_requests import LIFETIME
from domain.mail.render import part_of
from domain.mail.undeliverable import mark_undeliverable
from domain.services import Services
from domain.tickets import TicketKind
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.mail_proofs import DATA_KEY
from tests.operations import (
    CHANGE_PASSWORD,
    LOGIN,
    ME,
    REFRESH,
    REQUEST_PASSWORD_RESET,
    RESET_PASSWORD,
    SECURITY_EVENTS,
)
from tests.outboxes import rows
from tests.users import THIS_DEVICE, Answer, GraphQL, RegisteredUser, register_user

NEW = "difference engine"
LINK = re.compile(r"/account/reset-password#token=(\S+)")


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


async def request(graphql: GraphQL, email: str) -> Answer:
    return await graphql(REQUEST_PASSWORD_RESET, email=email)


async def reset(graphql: GraphQL, token: str, new: str = NEW) -> Answer:
    return await graphql(RESET_PASSWORD, token=token, new=new)


async def mails(app: FastAPI, template: str) -> list[OutboxRow]:
    """Return the mails of a template, the oldest first."""
    found = await rows(app.state.gatehouse.services.database)
    return [row for row in found if row.payload.get("template") == template]


async def mailed_token(app: FastAPI) -> str:
    """Return the token of the link in the newest mail, as its reader sees it."""
    state = app.state.gatehouse
    row = (await mails(app, "reset_password"))[-1]
    message = render_row(state.mail_renderer, state.services.data_keys, row)
    found = LINK.search(part_of(message, "plain"))
    assert found
    return found[1]


@pytest.fixture
async def token(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> str:
    """Return a token that was mailed to Ada."""
    assert (await request(graphql, ada.email)).errors == []
    return await mailed_token(app)


async def stored(services: Services, user: RegisteredUser) -> User:
    async with services.database.reading() as session:
        found = await session.scalars(
            select(User)
            .where(User.username == user.username)
            .options(undefer(User.email_verified_at), undefer(User.email_undeliverable_at))
        )
        return found.one()


async def can_log_in(graphql: GraphQL, password: str) -> bool:
    return (await graphql(LOGIN, username="Ada", password=password)).errors == []


async def event_kinds(graphql: GraphQL, token: str) -> list[str]:
    answer = await graphql(SECURITY_EVENTS, by=token)
    return [edge["node"]["kind"] for edge in answer.data["me"]["securityEvents"]["edges"]]


async def test_the_new_password_logs_in_and_the_old_one_does_not(
    graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    answer = await reset(graphql, token)

    assert answer.data == {"resetPassword": 1}
    assert await can_log_in(graphql, NEW)
    assert not await can_log_in(graphql, ada.password)


async def test_it_ends_all_sessions_and_starts_none(
    graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    laptop = await graphql(LOGIN, username="Ada", password=ada.password)

    assert (await reset(graphql, token)).data == {"resetPassword": 2}
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=laptop.data["login"]["accessToken"])).code == "UNAUTHENTICATED"
    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"


async def test_a_reset_of_another_account_leaves_sessions_alone(
    graphql: GraphQL, grace: RegisteredUser, token: str
) -> None:
    await reset(graphql, token)

    assert (await graphql(ME, by=grace)).errors == []


async def test_a_token_works_once(graphql: GraphQL, ada: RegisteredUser, token: str) -> None:
    await reset(graphql, token)
    again = await reset(graphql, token, "a third password")

    assert again.code == "INVALID_CODE"
    assert list(again.fields) == ["token"]
    assert await can_log_in(graphql, NEW)


async def test_a_token_works_for_ten_minutes(
    graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    with moved_clock(LIFETIME + timedelta(seconds=1)):
        late = await reset(graphql, token)

    assert timedelta(minutes=10) == LIFETIME
    assert late.code == "INVALID_CODE"
    assert await can_log_in(graphql, ada.password)


async def test_an_invalid_password_does_not_use_the_token(graphql: GraphQL, token: str) -> None:
    for bad in ("short", "password1", "ada@example.com", "x" * 10_000, "nul \0 nul"):
        answer = await reset(graphql, token, bad)
        assert answer.code == "INVALID_INPUT", bad
        assert list(answer.fields) == ["newPassword"]

    assert (await reset(graphql, token)).errors == []


@pytest.mark.parametrize(
    "wrong", ["", " ", "x", "A" * 64, "é" * 64, "A" * 10_000, "\0", "a\r\nBcc: b@example.com"]
)
async def test_a_wrong_token_is_refused_whatever_it_is(graphql: GraphQL, wrong: str) -> None:
    answer = await reset(graphql, wrong)

    assert answer.code == "INVALID_CODE"


async def test_the_ticket_that_the_browser_keeps_is_no_token(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await request(graphql, ada.email)
    ticket = answer.data["requestPasswordReset"]["ticket"]

    assert (await reset(graphql, ticket)).code == "INVALID_CODE"


async def test_a_token_for_something_else_is_refused(
    services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    async with services.database.writing() as session:
        user = await session.scalar(select(User).where(User.username == ada.username))
        assert user
        new = tickets.create(session, TicketKind.SIGN_IN, lifetime=LIFETIME, user_id=user.id)
    keys = services.require_mailer().keys

    for kind in (TicketKind.SIGN_IN, TicketKind.PASSWORD_RESET):
        token = tickets.token(keys, kind, new.ticket.id)
        assert (await reset(graphql, token)).code == "INVALID_CODE"


async def test_a_mail_goes_to_the_address_as_it_is_stored(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await request(graphql, "  ADA@Example.COM ")
    await request(graphql, "nobody@example.com")

    [mail] = await mails(app, "reset_password")
    assert mail.payload["to"] == "ada@example.com"
    assert "Ada" not in str(mail.payload["values"])


async def test_an_address_that_does_not_exist_gets_no_mail(
    app: FastAPI, services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await mark_undeliverable(services.database, ada.email)
    answer = await request(graphql, ada.email)

    assert answer.errors == []
    assert await mails(app, "reset_password") == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@",
        "@example.com\0",
        "a@b\r\nBcc: eve@example.com",
        "a" * 10_000 + "@example.com",
    ],
)
async def test_what_no_address_can_be_is_invalid(
    services: Services, graphql: GraphQL, email: str
) -> None:
    answer = await request(graphql, email)

    assert answer.code == "INVALID_INPUT"
    assert answer.fields == {"email": ["Enter a valid email address."]}
    assert await rows(services.database) == []


async def test_the_outbox_has_no_secret(app: FastAPI, token: str) -> None:
    [mail] = await mails(app, "reset_password")

    assert token not in str(mail.payload)
    assert token[-43:] not in str(mail.payload)


async def test_opening_the_link_uses_nothing(
    client: httpx.AsyncClient, graphql: GraphQL, token: str
) -> None:
    for method in ("GET", "HEAD"):
        await client.request(method, f"/account/reset-password?token={token}")
        query = f'mutation {{ resetPassword(token: "{token}", newPassword: "{NEW}") }}'
        refused = await client.request(method, "/graphql", params={"query": query})
        assert refused.status_code == 405

    assert (await reset(graphql, token)).errors == []


async def test_of_two_resets_at_a_time_one_succeeds(
    graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    secrets = [f"difference engine {n}" for n in range(8)]
    answers = await asyncio.gather(*(reset(graphql, token, new) for new in secrets))

    [winner] = [n for n, answer in enumerate(answers) if not answer.errors]
    assert {answer.code for answer in answers if answer.errors} == {"INVALID_CODE"}
    assert await can_log_in(graphql, secrets[winner])


async def test_a_login_beside_a_reset_leaves_no_session_of_the_old_password(
    graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    logins = [graphql(LOGIN, username="Ada", password=ada.password) for _ in range(8)]
    answers = await asyncio.gather(*logins[:4], reset(graphql, token), *logins[4:])

    assert answers.pop(4).errors == []
    for answer in answers:
        if answer.errors:
            assert answer.code == "INVALID_CREDENTIALS"
        else:
            me = await graphql(ME, by=answer.data["login"]["accessToken"])
            assert me.code == "UNAUTHENTICATED"


async def test_it_proves_the_address(
    services: Services, graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    await mark_undeliverable(services.database, ada.email)
    before = await stored(services, ada)
    await reset(graphql, token)

    after = await stored(services, ada)
    assert before.email_verified_at is None
    assert after.email_verified_at
    assert datetime.now(UTC) - after.email_verified_at < timedelta(minutes=1)
    assert after.email_undeliverable_at is None


async def test_it_ends_what_else_was_under_way(
    services: Services, graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    async with services.database.writing() as session:
        user = await session.scalar(select(User).where(User.username == ada.username))
        assert user
        for kind in (TicketKind.EMAIL_CHANGE, TicketKind.SIGN_IN):
            tickets.create(session, kind, lifetime=LIFETIME, user_id=user.id)
    await request(graphql, ada.email)
    await reset(graphql, token)

    async with services.database.reading() as session:
        kinds = (await session.scalars(select(Ticket.kind))).all()
    # That of the notice about the new password.
    assert kinds == [TicketKind.ACCOUNT_SECURITY]


async def test_an_older_link_works_too(app: FastAPI, graphql: GraphQL, token: str) -> None:
    """Otherwise anyone could make links useless by requesting others."""
    await request(graphql, "ada@example.com")
    newer = await mailed_token(app)

    assert newer != token
    assert (await reset(graphql, token)).errors == []
    assert (await reset(graphql, newer)).code == "INVALID_CODE"


async def test_a_changed_password_ends_a_link(
    graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new=NEW)

    assert (await reset(graphql, token, "a third password")).code == "INVALID_CODE"


async def test_a_deleted_account_has_no_reset(
    services: Services, graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    await graphql(
        "mutation ($password: String!) { deleteMe(password: $password) }",
        by=ada,
        password=ada.password,
    )

    assert (await reset(graphql, token)).code == "INVALID_CODE"


async def test_each_step_is_a_security_event(
    graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    await reset(graphql, token)
    answer = await graphql(LOGIN, username="Ada", password=NEW)

    kinds = await event_kinds(graphql, answer.data["login"]["accessToken"])
    assert kinds == [
        "LOGGED_IN",
        "PASSWORD_RESET",
        "EMAIL_VERIFIED",
        "PASSWORD_RESET_REQUESTED",
        "REGISTERED",
    ]


async def test_a_mail_tells_of_the_new_password(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    await reset(graphql, token)

    [mail] = await mails(app, "password_changed")
    assert mail.payload["to"] == ada.email


async def test_a_mail_tells_of_a_changed_password_too(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await graphql(CHANGE_PASSWORD, by=ada, current="wrong engine", new=NEW)
    await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new=NEW)

    [mail] = await mails(app, "password_changed")
    assert mail.payload["to"] == ada.email


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_an_address_has_a_limit_whether_it_is_known_or_not(
    database_url: str, email: str
) -> None:
    settings = settings_for(
        database_url, data_key=DATA_KEY, mail_limit_per_address="1/minute;5/hour;10/day"
    )
    # Without the mail of a registration, which counts.
    app = create_app(settings_for(database_url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        await register_user(GraphQL(client), "Ada", "ada@example.com", "analytical engine")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        first = await request(graphql, email)
        second = await request(graphql, email.upper())
        other = await request(graphql, "grace@example.com")

    assert first.data["requestPasswordReset"]["retryAfter"] == 60
    assert second.code == "TOO_MANY_ATTEMPTS"
    assert 0 < second.error["extensions"]["retryAfter"] <= 60
    assert other.errors == []


async def test_a_network_has_a_limit(database_url: str) -> None:
    settings = settings_for(database_url, data_key=DATA_KEY, mail_limit_per_network="2/hour")
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        async with client_of(app, ip="192.0.2.1") as client:
            answers = [await request(GraphQL(client), f"a{n}@example.com") for n in range(3)]
        async with client_of(app, ip="192.0.2.2") as client:
            elsewhere = await request(GraphQL(client), "b@example.com")

    assert [bool(answer.errors) for answer in answers] == [False, False, True]
    assert answers[2].code == "TOO_MANY_ATTEMPTS"
    assert elsewhere.errors == []


async def test_one_document_cannot_request_many_mails(graphql: GraphQL) -> None:
    fields = " ".join(
        f'a{n}: requestPasswordReset(email: "a{n}@example.com") {{ ticket }}' for n in range(50)
    )
    answer = await graphql(f"mutation {{ {fields} }}")

    assert answer.code == "QUERY_TOO_COSTLY"


@pytest.mark.parametrize("data_key", [None, DATA_KEY])
async def test_without_a_mail_server_production_says_so(
    database_url: str, data_key: str | None
) -> None:
    app = create_app(settings_for(database_url, data_key=data_key, environment="production"))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        requested = await request(graphql, "ada@example.com")
        used = await reset(graphql, "A" * 64)
        changed = await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new=NEW)
        written = await rows(app.state.gatehouse.services.database)

    assert requested.code == "MAIL_NOT_CONFIGURED"
    # With a data key, the operator can make a link.
    assert used.code == ("INVALID_CODE" if data_key else "NOT_CONFIGURED")
    assert changed.errors == []
    assert written == []


async def test_with_a_mail_server_it_waits_in_the_outbox_and_for_nobody_nothing_does(
    database_url: str,
) -> None:
    settings = settings_for(
        database_url,
        data_key=DATA_KEY,
        # Nothing listens there.
        mail_url="smtp://127.0.0.1:1",
        mail_from="accounts@example.com",
    )
    app = create_app(settings)
    services: Services = app.state.gatehouse.services
    async with app.router.lifespan_context(app), client_of(app) as client:
        ada = await register_user(GraphQL(client), "Ada", "ada@example.com", "analytical engine")
        await accounts.request_password_reset(services, THIS_DEVICE, email="nobody@example.com")
        await accounts.request_password_reset(services, THIS_DEVICE, email=ada.email)
        _, nobody, hers = await rows(services.database)

    assert (nobody.payload, nobody.done_at is None) == ({}, False)
    assert (hers.payload["to"], hers.done_at) == (ada.email, None)
    assert abs(hers.expires_at - hers.created_at - LIFETIME) < timedelta(seconds=1)
