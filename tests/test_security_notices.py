"""Security notices: the mail about a new sign-in, and what the link in a notice does."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from api.mail import render_row
from domain import authentication, retention
from domain.authentication.second_factor import pass_second_factor
from domain.errors import SecondFactorRequired
from domain.mail.mailer import NOTICE_LIFETIME
from domain.mail.render import part_of
from domain.mail.undeliverable import mark_undeliverable
from domain.security_notices import MAX_UNVERIFIED
from domain.services import Services
from domain.sessions import LoginMethod
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.mail_proofs import mailed_code
from tests.operations import (
    CHANGE_PASSWORD,
    LOGIN,
    ME,
    REFRESH,
    RESET_PASSWORD,
    SECURE_ACCOUNT,
    VERIFY_EMAIL,
)
from tests.outboxes import rows
from tests.security_events import event_kinds
from tests.stored_factors import set_up_app
from tests.users import THIS_DEVICE, Answer, GraphQL, RegisteredUser, register_user

DATA_KEY = "a data key for tests, and for nothing else but tests"
LINK = re.compile(r"/account/secure-account#token=(\S+)")
RESET_LINK = re.compile(r"/account/reset-password#token=(\S+)")
NEW = "difference engine"

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.17"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(app, ip=HERE) as client:
        client.headers["User-Agent"] = FIREFOX
        yield client


async def texts(app: FastAPI, template: str) -> list[str]:
    """Return the mails of a template, as their reader sees them, the oldest first."""
    state = app.state.gatehouse
    return [
        part_of(render_row(state.mail_renderer, state.services.data_keys, row), "plain")
        for row in await rows(state.services.database)
        if row.payload.get("template") == template
    ]


async def log_in(app: FastAPI, password: str, *, ip: str = HERE, agent: str = FIREFOX) -> Answer:
    async with client_of(app, ip=ip) as client:
        client.headers["User-Agent"] = agent
        return await GraphQL(client)(LOGIN, username="Ada", password=password)


async def verify(app: FastAPI, graphql: GraphQL, user: RegisteredUser) -> None:
    code = await mailed_code(app, "verify_email")
    assert (await graphql(VERIFY_EMAIL, by=user, code=code)).errors == []


async def secure(graphql: GraphQL, token: str) -> Answer:
    return await graphql(SECURE_ACCOUNT, token=token)


@pytest.fixture
async def token(app: FastAPI, ada: RegisteredUser) -> str:
    """Return the token of a notice that was mailed to Ada."""
    await log_in(app, ada.password, ip=ELSEWHERE, agent=SAFARI)
    [token] = LINK.findall((await texts(app, "new_sign_in"))[-1])
    return str(token)


@pytest.mark.parametrize(
    ("ip", "agent", "mails"),
    [(HERE, FIREFOX, 0), (HERE, SAFARI, 1), (ELSEWHERE, FIREFOX, 1), (ELSEWHERE, SAFARI, 1)],
)
async def test_a_sign_in_from_a_new_network_or_device_is_mailed_once(
    app: FastAPI, ada: RegisteredUser, ip: str, agent: str, mails: int
) -> None:
    await log_in(app, ada.password, ip=ip, agent=agent)
    await log_in(app, "a wrong password", ip="198.51.100.7", agent="curl/8")
    await log_in(app, ada.password, ip=ip, agent=agent)

    assert len(await texts(app, "new_sign_in")) == mails


async def test_a_notice_has_time_device_and_address(app: FastAPI, token: str) -> None:
    [mail] = await texts(app, "new_sign_in")

    assert "Device: Mobile Safari on iOS\nIP address: 192.0.2.17\n" in mail
    assert "The link works once, for 4 days." in mail


async def test_a_network_and_a_device_may_be_known_by_different_sessions(
    app: FastAPI, ada: RegisteredUser
) -> None:
    await log_in(app, ada.password, ip=ELSEWHERE, agent=SAFARI)
    await log_in(app, ada.password, ip=HERE, agent=SAFARI)

    assert len(await texts(app, "new_sign_in")) == 1


async def test_a_sign_in_after_all_sessions_were_pruned_is_mailed(
    app: FastAPI, ada: RegisteredUser
) -> None:
    with moved_clock(timedelta(days=3650)):
        await retention.prune(app.state.gatehouse.services.database, kept_for=timedelta(days=1))
    await log_in(app, ada.password)

    assert len(await texts(app, "new_sign_in")) == 1


async def test_a_refresh_from_another_network_is_not_a_sign_in(
    app: FastAPI, ada: RegisteredUser
) -> None:
    async with client_of(app, ip=ELSEWHERE) as client:
        answer = await GraphQL(client)(REFRESH, token=ada.refresh_token)

    assert answer.errors == []
    assert await texts(app, "new_sign_in") == []


async def test_nothing_is_sent_to_a_mailbox_that_does_not_exist(
    app: FastAPI, ada: RegisteredUser
) -> None:
    await mark_undeliverable(app.state.gatehouse.services.database, ada.email)
    before = len(await rows(app.state.gatehouse.services.database))
    assert (await log_in(app, ada.password, ip=ELSEWHERE)).errors == []

    assert len(await rows(app.state.gatehouse.services.database)) == before


async def log_in_with_code(services: Services, user: RegisteredUser, code: str) -> None:
    login: dict[str, Any] = {
        "login": user.username,
        "password": user.password,
        "method": LoginMethod.LOGIN,
    }
    with pytest.raises(SecondFactorRequired) as required:
        await authentication.log_in(services, THIS_DEVICE, **login)
    ticket = required.value.challenge.ticket
    await pass_second_factor(services, THIS_DEVICE, ticket=ticket, code=code)


async def test_a_used_recovery_code_is_mailed_with_how_many_are_left(
    app: FastAPI, graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    await verify(app, graphql, ada)
    codes = await set_up_app(services, ada)
    for code in codes[:2]:
        await log_in_with_code(services, ada, code)

    mails = await texts(app, "recovery_code_used")
    assert ["Codes left: 9\n" in mails[0], "Codes left: 8\n" in mails[1]] == [True, True]


async def test_an_address_that_is_not_verified_gets_few_notices(
    app: FastAPI, ada: RegisteredUser
) -> None:
    for number in range(MAX_UNVERIFIED + 1):
        await log_in(app, ada.password, agent=f"agent{number}/1")

    assert len(await texts(app, "new_sign_in")) == MAX_UNVERIFIED


async def test_the_link_ends_all_sessions_and_mails_a_link_to_reset_the_password(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, token: str
) -> None:
    assert (await secure(graphql, f" {token}\n")).data == {"secureAccount": 2}

    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=grace)).errors == []
    [mail] = await texts(app, "reset_password")
    reset = await graphql(RESET_PASSWORD, token=RESET_LINK.findall(mail)[0], new=NEW)
    assert reset.errors == []
    signed_in = await log_in(app, NEW)
    events = await event_kinds(graphql, signed_in.data["login"]["accessToken"])
    assert "ACCOUNT_SECURED" in events


async def test_the_notice_of_a_changed_password_has_the_link_too(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    changed = await graphql(CHANGE_PASSWORD, by=ada, current=ada.password, new=NEW)
    intruder = changed.data["changePassword"]["accessToken"]
    [mail] = await texts(app, "password_changed")

    assert (await secure(graphql, LINK.findall(mail)[0])).data == {"secureAccount": 1}
    assert (await graphql(ME, by=intruder)).code == "UNAUTHENTICATED"
    # The one of the sign-in before works, too.
    assert (await secure(graphql, token)).data == {"secureAccount": 0}


async def test_the_token_works_once_for_four_days_and_for_nothing_else(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    with moved_clock(NOTICE_LIFETIME):
        late = await secure(graphql, token)
    other = await graphql(RESET_PASSWORD, token=token, new=NEW)
    first = await secure(graphql, token)
    wrong = [await secure(graphql, text) for text in (token, "", "x" * 64, "\0")]

    assert first.errors == []
    assert {answer.code for answer in (late, other, *wrong)} == {"INVALID_CODE"}
    assert wrong[0].fields.keys() == {"token"}
    assert len(await texts(app, "reset_password")) == 1


async def test_opening_the_link_uses_nothing(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, token: str
) -> None:
    document = f'mutation {{ secureAccount(token: "{token}") }}'
    for method in ("GET", "HEAD"):
        await client.request(method, f"/account/secure-account?token={token}")
        await client.request(method, "/graphql", params={"query": document})

    assert (await graphql(ME, by=ada)).errors == []
    assert (await secure(graphql, token)).data == {"secureAccount": 2}


async def test_a_network_is_limited(database_url: str) -> None:
    settings = settings_for(database_url, data_key=DATA_KEY, mail_limit_per_network="2/hour")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        for number in range(2):
            await log_in(app, ada.password, ip=f"192.0.2.{number}")
        one, two = [LINK.findall(mail)[0] for mail in await texts(app, "new_sign_in")]
        answers = [await secure(graphql, one), await secure(graphql, two)]

    assert answers[0].errors == []
    assert answers[1].code == "TOO_MANY_ATTEMPTS"


async def test_without_mail_a_sign_in_writes_none(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        await log_in(app, ada.password, ip=ELSEWHERE, agent=SAFARI)
        answer = await secure(graphql, "x" * 64)

    assert answer.code == "MAIL_NOT_CONFIGURED"
    assert await rows(app.state.gatehouse.services.database) == []
