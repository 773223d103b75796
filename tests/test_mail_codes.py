"""Signing in with a code by mail."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from domain.authentication.mail_requests import LIFETIME
from domain.services import Services
from tests.browsers import API, APP, COOKIE, BrowserPage
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.mail_proofs import DATA_KEY, mailed_code, mailed_token, newest_mail, request_code
from tests.operations import (
    LOGIN,
    ME,
    REQUEST_PASSWORD_RESET,
    REQUEST_SIGN_IN,
    RESET_PASSWORD,
    SESSIONS,
    SIGN_IN_BY_MAIL,
    VERIFY_EMAIL,
)
from tests.security_events import event_kinds
from tests.sessions import is_signed_in
from tests.statements import statements
from tests.users import Answer, GraphQL, RegisteredUser, register_user

NEW = "difference engine"


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    pages = {"public_url": f"{API}/", "cors_origins": APP}
    app = create_app(settings_for(database_url, data_key=DATA_KEY, **pages))
    async with app.router.lifespan_context(app):
        yield app


async def sign_in(graphql: GraphQL, ticket: str, code: str) -> Answer:
    return await graphql(SIGN_IN_BY_MAIL, ticket=ticket, code=code)


def another(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 10**6:06}"


async def count_of_sessions(graphql: GraphQL, token: str) -> int:
    answer = await graphql(SESSIONS, by=token)
    return len(answer.data["me"]["sessions"])


@pytest.fixture
async def verified(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> RegisteredUser:
    """Ada, who has verified her email."""
    answer = await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    assert answer.errors == []
    return ada


async def test_the_code_signs_in_and_leaves_the_rest_of_a_verified_account_alone(
    app: FastAPI, graphql: GraphQL, verified: RegisteredUser
) -> None:
    ticket = await request_code(graphql, "  ADA@Example.com ")
    code = await mailed_code(app)
    token = (await sign_in(graphql, ticket, f"{code[:3]} {code[3:]}")).data["signInByMail"]

    assert token["user"]["id"] == verified.id
    assert token["user"]["hasPassword"] is True
    answer = await graphql(SESSIONS, by=token["accessToken"])
    assert [one["method"] for one in answer.data["me"]["sessions"]] == [
        "EMAIL_CODE",
        "REGISTRATION",
    ]
    assert await event_kinds(graphql, verified) == [
        "REGISTERED",
        "EMAIL_VERIFIED",
        "SIGN_IN_CODE_REQUESTED",
        "LOGGED_IN",
    ]


async def test_with_the_header_the_refresh_token_is_in_the_cookie_alone(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    page = BrowserPage(client)
    ticket = await request_code(graphql)
    token = await page.data(SIGN_IN_BY_MAIL, ticket=ticket, code=await mailed_code(app))

    assert token["refreshToken"] == "cookie"
    assert COOKIE in page.cookies
    assert (await page.refresh()).json().get("errors") is None


async def test_whatever_is_wrong_the_answer_is_the_same(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    ticket = await request_code(graphql)
    code = await mailed_code(app)
    other = await request_code(graphql)
    used = await request_code(graphql)
    assert (await sign_in(graphql, used, await mailed_code(app))).errors == []
    unknown = await request_code(graphql, "nobody@example.com")
    tries = [(used, code), (ticket, another(code)), (other, code), (unknown, code), ("x", code)]
    answers = [await post(client, *each) for each in tries]
    with moved_clock(LIFETIME + timedelta(seconds=1)):
        answers.append(await post(client, ticket, code))

    assert '"INVALID_CODE"' in answers[0]
    assert len(set(answers)) == 1


async def post(client: httpx.AsyncClient, ticket: str, code: str) -> str:
    """Return the text of the response."""
    body = {"query": SIGN_IN_BY_MAIL, "variables": {"ticket": ticket, "code": code}}
    return (await client.post("/graphql", json=body)).text


async def test_a_known_and_an_unknown_email_get_the_same_answers_for_the_same_work(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    seen = []
    for email in (ada.email, "nobody@example.com"):
        with statements() as work:
            body = {"query": REQUEST_SIGN_IN, "variables": {"email": email}}
            response = await client.post("/graphql", json=body)
            ticket = response.json()["data"]["requestSignIn"]["ticket"]
            wrong = await post(client, ticket, "no code")
        headers = {k: v for k, v in response.headers.items() if k not in ("x-request-id", "date")}
        text = response.text.replace(ticket, "x" * len(ticket))
        seen.append((text, headers, wrong, [sql for sql, _ in work]))

    assert seen[0] == seen[1]
    assert len(seen[0][-1]) > 6


async def test_the_sixth_code_is_refused_although_it_is_right(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    ticket = await request_code(graphql)
    code = await mailed_code(app)
    for wrong in range(1, 6):
        assert (await sign_in(graphql, ticket, another(code, wrong))).code == "INVALID_CODE"

    assert (await sign_in(graphql, ticket, code)).code == "INVALID_CODE"
    assert (await event_kinds(graphql, ada)).count("WRONG_CODE") == 5


async def test_who_reads_the_mail_alone_cannot_sign_in_or_use_anything_up(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    ticket = await request_code(graphql)
    code = await mailed_code(app)
    query = f'mutation {{ signInByMail(ticket: "{ticket}", code: "{code}") {{ accessToken }} }}'
    for method in ("GET", "HEAD"):
        await client.request(method, f"/account/login-by-code?code={code}")
        refused = await client.request(method, "/graphql", params={"query": query})
        assert refused.status_code == 405
    # What a reader has may be sent as a ticket, too.
    for guess in (code, "A" * 64, ticket[:21] + "A" * 43):
        assert (await sign_in(graphql, guess, code)).code == "INVALID_CODE"

    assert f"{API}/account/login-by-code#code={code}" in await newest_mail(app, "sign_in_code")
    assert (await sign_in(graphql, ticket, code)).errors == []


async def test_a_made_up_ticket_does_not_wait_for_the_writer(
    services: Services, graphql: GraphQL
) -> None:
    async with services.database.writing():
        assert (await sign_in(graphql, "A" * 64, "123456")).code == "INVALID_CODE"


async def test_guessing_elsewhere_does_not_lock_owners_out_of_networks_that_they_know(
    database_url: str,
) -> None:
    app = create_app(settings_for(database_url, data_key=DATA_KEY, code_limit_per_account="2/hour"))
    async with (
        app.router.lifespan_context(app),
        client_of(app, ip="192.0.2.1") as home,
        client_of(app, ip="192.0.2.2") as elsewhere,
        client_of(app, ip="192.0.2.3") as third,
    ):
        await register_user(GraphQL(home), "Ada", "ada@example.com", "analytical engine")
        for stranger in (elsewhere, third):
            # A new mail gives no more attempts.
            ticket = await request_code(GraphQL(stranger))
            await sign_in(GraphQL(stranger), ticket, "no code")
        refused = await sign_in(
            GraphQL(elsewhere), await request_code(GraphQL(elsewhere)), "no code"
        )
        owner = await sign_in(
            GraphQL(home), await request_code(GraphQL(home)), await mailed_code(app)
        )

    assert refused.code == "TOO_MANY_ATTEMPTS"
    assert owner.errors == []


async def test_attempts_are_limited_by_network_too(database_url: str) -> None:
    settings = settings_for(database_url, data_key=DATA_KEY, login_limit_per_network="2/hour")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        answers = [await sign_in(GraphQL(client), "A" * 64, "123456") for _ in range(3)]

    assert [answer.code for answer in answers] == ["INVALID_CODE"] * 2 + ["TOO_MANY_ATTEMPTS"]


async def test_without_mail_it_says_so(database_url: str) -> None:
    app = create_app(settings_for(database_url, environment="production"))
    async with app.router.lifespan_context(app), client_of(app) as client:
        requested = await GraphQL(client)(REQUEST_SIGN_IN, email="ada@example.com")
        signed_in = await sign_in(GraphQL(client), "A" * 64, "123456")

    assert requested.code == signed_in.code == "MAIL_NOT_CONFIGURED"


# What follows is about accounts whose email is not verified.


async def test_the_owner_of_the_email_gets_the_account_and_who_made_it_is_out(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await graphql(REQUEST_PASSWORD_RESET, email=ada.email)
    ticket = await request_code(graphql)
    token = (await sign_in(graphql, ticket, await mailed_code(app))).data["signInByMail"]
    reset = await graphql(RESET_PASSWORD, token=await mailed_token(app), new=NEW)
    form = {"grant_type": "password", "username": "ada", "password": ada.password}

    assert (token["user"]["emailVerified"], token["user"]["hasPassword"]) == (True, False)
    assert await count_of_sessions(graphql, token["accessToken"]) == 1
    assert not await is_signed_in(graphql, ada)
    login = await graphql(LOGIN, username="Ada", password=ada.password)
    assert login.code == "INVALID_CREDENTIALS"
    assert (await client.post("/token", data=form)).status_code == 400
    assert reset.code == "INVALID_CODE"


async def test_of_twenty_tries_of_one_code_at_once_one_signs_in(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    ticket = await request_code(graphql)
    code = await mailed_code(app)
    answers = await asyncio.gather(*(sign_in(graphql, ticket, code) for _ in range(20)))

    [token] = [answer.data["signInByMail"] for answer in answers if not answer.errors]
    assert {answer.code for answer in answers if answer.errors} == {"INVALID_CODE"}
    assert await count_of_sessions(graphql, token["accessToken"]) == 1


async def test_a_code_and_a_reset_at_once_leave_one_way_in(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    ticket = await request_code(graphql)
    await graphql(REQUEST_PASSWORD_RESET, email=ada.email)
    signed_in, reset = await asyncio.gather(
        sign_in(graphql, ticket, await mailed_code(app)),
        graphql(RESET_PASSWORD, token=await mailed_token(app), new=NEW),
    )

    [refused] = [answer for answer in (signed_in, reset) if answer.errors]
    assert refused.code == "INVALID_CODE"
    login = await graphql(LOGIN, username="Ada", password=NEW)
    assert bool(login.errors) is bool(reset.errors)


async def test_a_login_of_who_made_the_account_leaves_no_session_beside_a_code(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    ticket = await request_code(graphql)
    code = await mailed_code(app)
    logins = [graphql(LOGIN, username="Ada", password=ada.password) for _ in range(6)]
    owner, *others = await asyncio.gather(sign_in(graphql, ticket, code), *logins)

    assert await count_of_sessions(graphql, owner.data["signInByMail"]["accessToken"]) == 1
    for answer in others:
        if answer.errors:
            assert answer.code == "INVALID_CREDENTIALS"
        else:
            me = await graphql(ME, by=answer.data["login"]["accessToken"])
            assert me.code == "UNAUTHENTICATED"
