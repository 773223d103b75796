"""Accounts without a password, which a sign-in with a code by mail leaves."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fastapi import FastAPI

from api.app import create_app
from domain.passwords import stored_costs
from domain.services import Services
from tests.conftest import settings_for
from tests.mail_proofs import DATA_KEY, mailed_code, mailed_token, request_code
from tests.operations import (
    CHANGE_PASSWORD,
    DELETE_ME,
    LOGIN,
    REFRESH,
    REQUEST_PASSWORD_RESET,
    RESET_PASSWORD,
    SIGN_IN_BY_MAIL,
    UPDATE_ME,
)
from tests.statements import statements
from tests.users import GraphQL, RegisteredUser

NEW = "difference engine"
HAS_PASSWORD = "{ me { hasPassword } }"


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def without(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> RegisteredUser:
    """Ada, whose password is gone."""
    ticket, code = await request_code(graphql), await mailed_code(app)
    token = (await graphql(SIGN_IN_BY_MAIL, ticket=ticket, code=code)).data["signInByMail"]
    return replace(ada, token=token["accessToken"], refresh_token=token["refreshToken"])


async def test_what_needs_the_password_says_that_there_is_none(
    graphql: GraphQL, without: RegisteredUser
) -> None:
    former = without.password
    refused = [
        await graphql(CHANGE_PASSWORD, by=without, current=former, new=NEW),
        await graphql(DELETE_ME, by=without, password=former),
    ]

    for answer in refused:
        assert answer.code == "INVALID_CREDENTIALS"
        [messages] = answer.fields.values()
        assert messages == ["Your account has no password. Set one with a link by mail."]


async def test_the_email_cannot_be_changed_without_any_password(
    graphql: GraphQL, without: RegisteredUser
) -> None:
    for change in ({}, {"currentPassword": None}, {"currentPassword": ""}):
        answer = await graphql(UPDATE_ME, by=without, input={"email": "eve@example.com", **change})
        assert answer.errors != []

    renamed = await graphql(UPDATE_ME, by=without, input={"username": "Countess"})
    assert renamed.data["updateMe"]["email"] == without.email


async def test_a_link_by_mail_sets_a_password(
    app: FastAPI, graphql: GraphQL, without: RegisteredUser
) -> None:
    before = await graphql(HAS_PASSWORD, by=without)
    await graphql(REQUEST_PASSWORD_RESET, email=without.email)
    await graphql(RESET_PASSWORD, token=await mailed_token(app), new=NEW)
    login = await graphql(LOGIN, username="Ada", password=NEW)
    after = await graphql(HAS_PASSWORD, by=login.data["login"]["accessToken"])

    assert before.data["me"] == {"hasPassword": False}
    assert after.data["me"] == {"hasPassword": True}


async def test_a_refresh_knows_too(graphql: GraphQL, without: RegisteredUser) -> None:
    document = REFRESH.replace("user { id", "user { hasPassword id")
    answer = await graphql(document, token=without.refresh_token)

    assert answer.data["refresh"]["user"]["hasPassword"] is False


async def test_a_login_takes_the_work_of_an_unknown_user(
    graphql: GraphQL, without: RegisteredUser
) -> None:
    work = []
    for name in ("Ada", "Nobody"):
        with statements() as seen:
            answer = await graphql(LOGIN, username=name, password=without.password)
        work.append(([sql for sql, _ in seen], answer.errors))

    assert work[0] == work[1]
    assert work[0][1][0]["extensions"]["code"] == "INVALID_CREDENTIALS"


async def test_the_sample_of_stored_costs_leaves_it_out(
    services: Services, without: RegisteredUser, grace: RegisteredUser
) -> None:
    async with services.database.reading() as session:
        assert len(await stored_costs.sample(session)) == 1
