"""An owner who did not add a factor removes it with the link of the notice."""

import pytest
from fastapi import FastAPI

from settings import Settings
from tests.authenticator_apps import App, Clock, set_up, signed_in_with
from tests.conftest import settings_for
from tests.mail_proofs import DATA_KEY, mailed_code, mailed_token
from tests.operations import (
    CONFIRM_EMAIL_CHANGE,
    LOGIN,
    REQUEST_EMAIL_CHANGE,
    REQUEST_PASSWORD_RESET,
    RESET_PASSWORD,
    SECURE_ACCOUNT,
    UNDO_EMAIL_CHANGE,
    VERIFY_EMAIL,
)
from tests.passkeys import PASSKEY_SETTINGS, add, sign_in
from tests.sessions import is_signed_in
from tests.users import GraphQL, RegisteredUser

NEW = "difference engine"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY, **PASSKEY_SETTINGS)


@pytest.fixture
async def phone(app: FastAPI, graphql: GraphQL, ada: RegisteredUser, clock: Clock) -> App:
    """Set up an authenticator app in Ada's account, which may be a thief's."""
    await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    return await set_up(graphql, ada, clock)


async def reset(app: FastAPI, graphql: GraphQL) -> None:
    """Set the password with the newest link by mail."""
    answer = await graphql(RESET_PASSWORD, token=await mailed_token(app), new=NEW)
    assert answer.errors == []


async def change_email(app: FastAPI, graphql: GraphQL, user: RegisteredUser, new: str) -> None:
    await graphql(REQUEST_EMAIL_CHANGE, by=user, email=new)
    code = await mailed_code(app, "change_email")
    assert (await graphql(CONFIRM_EMAIL_CHANGE, by=user, code=code)).errors == []


async def test_the_link_of_its_notice_removes_an_app(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    await graphql(SECURE_ACCOUNT, token=await mailed_token(app, "totp_added"))
    await reset(app, graphql)

    assert not await is_signed_in(graphql, ada)
    assert (await graphql(LOGIN, username="Ada", password=NEW)).errors == []


async def test_the_undo_of_an_email_change_removes_it_too(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, phone: App
) -> None:
    await change_email(app, graphql, ada, "thief@example.com")
    await graphql(UNDO_EMAIL_CHANGE, token=await mailed_token(app, "email_changed"))
    await reset(app, graphql)

    assert (await graphql(LOGIN, username="Ada", password=NEW)).errors == []


async def test_the_undo_of_an_email_change_removes_what_was_added_before_another_change(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    await change_email(app, graphql, ada, "thief@example.com")
    token = await mailed_token(app, "email_changed")
    thiefs, _ = await add(graphql, ada)
    await change_email(app, graphql, ada, "another-thief@example.com")
    undone = await graphql(UNDO_EMAIL_CHANGE, token=token)

    assert undone.errors == []
    assert (await sign_in(graphql, thiefs)).code == "INVALID_CODE"


async def test_the_link_of_a_notice_works_after_a_password_reset_too(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    """An owner may well reset the password first."""
    await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    thiefs, _ = await add(graphql, ada)
    await graphql(REQUEST_PASSWORD_RESET, email=ada.email)
    await reset(app, graphql)
    secured = await graphql(SECURE_ACCOUNT, token=await mailed_token(app, "passkey_added"))

    assert secured.errors == []
    assert (await sign_in(graphql, thiefs)).code == "INVALID_CODE"


async def test_who_reads_the_mail_cannot_remove_an_app_that_a_second_factor_has_replaced(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, phone: App, clock: Clock
) -> None:
    by_app = await signed_in_with(graphql, ada, phone.code())
    await set_up(graphql, by_app, clock)
    await graphql(SECURE_ACCOUNT, token=await mailed_token(app, "totp_added"))
    await reset(app, graphql)

    login = await graphql(LOGIN, username="Ada", password=NEW)
    assert login.code == "SECOND_FACTOR_REQUIRED"
