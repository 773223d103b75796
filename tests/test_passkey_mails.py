"""Passkeys on a server that sends mail: whose they are, and what their owners are told."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from api.app import create_app
from db.models import User
from domain.services import Services
from tests.authenticator import Authenticator
from tests.conftest import settings_for
from tests.mail_proofs import DATA_KEY, mailed_code, request_code
from tests.operations import REMOVE_PASSKEY, SIGN_IN_BY_MAIL, START_PASSKEY, VERIFY_EMAIL
from tests.outboxes import rows
from tests.passkeys import PASSKEY_SETTINGS, add, sign_in, start
from tests.users import GraphQL, RegisteredUser


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY, **PASSKEY_SETTINGS))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def verified(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> RegisteredUser:
    """Ada, who has verified her email."""
    answer = await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    assert answer.errors == []
    return ada


async def by_mail(app: FastAPI, graphql: GraphQL, user: RegisteredUser) -> RegisteredUser:
    """Return the same user, signed in with a code by mail."""
    ticket, code = await request_code(graphql), await mailed_code(app)
    token = (await graphql(SIGN_IN_BY_MAIL, ticket=ticket, code=code)).data["signInByMail"]
    return replace(user, token=token["accessToken"], refresh_token=token["refreshToken"])


async def notices(services: Services) -> list[str]:
    """Return the templates of the mails about passkeys, the oldest first."""
    templates = [row.payload["template"] for row in await rows(services.database)]
    return [template for template in templates if template.startswith("passkey")]


async def test_an_account_with_an_address_that_is_not_proven_gets_none(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    assert (await graphql(START_PASSKEY, by=ada)).code == "EMAIL_NOT_VERIFIED"


async def test_the_browser_shows_a_proven_email(graphql: GraphQL, verified: RegisteredUser) -> None:
    _, options = await start(graphql, verified)

    assert options["user"]["name"] == "ada@example.com"
    assert options["user"]["displayName"] == "Ada"


async def test_the_owner_is_told_of_a_new_and_of_a_removed_passkey(
    graphql: GraphQL, verified: RegisteredUser, services: Services
) -> None:
    _, passkey = await add(graphql, verified)
    await graphql(REMOVE_PASSKEY, by=verified, id=passkey["id"])

    assert await notices(services) == ["passkey_added", "passkey_removed"]


async def test_the_owner_is_told_of_a_counter_that_does_not_grow(
    graphql: GraphQL, verified: RegisteredUser, services: Services
) -> None:
    authenticator, _ = await add(graphql, verified, Authenticator(counter=7))
    authenticator.counter = 8
    assert (await sign_in(graphql, authenticator)).errors == []
    before = await notices(services)
    assert (await sign_in(graphql, authenticator)).errors == []

    assert before == ["passkey_added"]
    assert await notices(services) == ["passkey_added", "passkey_counter"]


async def test_the_last_passkey_of_an_account_without_a_password_stays(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    without = await by_mail(app, graphql, ada)
    one, two = [(await add(graphql, without))[1] for _ in range(2)]
    removed = await graphql(REMOVE_PASSKEY, by=without, id=one["id"])
    refused = await graphql(REMOVE_PASSKEY, by=without, id=two["id"])

    assert removed.errors == []
    assert refused.code == "INVALID_INPUT"
    assert refused.fields.keys() == {"id"}


async def test_passkeys_of_an_account_that_someone_else_made_do_not_survive_its_owner(
    app: FastAPI, graphql: GraphQL, verified: RegisteredUser, services: Services
) -> None:
    authenticator, _ = await add(graphql, verified)
    # As if the address had been registered by someone else, who cannot prove it.
    await unverify(services)
    await by_mail(app, graphql, verified)

    answer = await sign_in(graphql, authenticator)
    assert answer.error["extensions"]["unknownCredential"] is True


async def unverify(services: Services) -> None:
    async with services.database.writing() as session:
        await session.execute(update(User).values(email_verified_at=None))
