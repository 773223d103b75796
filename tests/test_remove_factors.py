"""`gatehouse users remove-factors`: the operator helps a user who has lost their factors."""

import asyncio
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import pytest
from fastapi import FastAPI

from api.app import create_app
from domain.authentication.factors import Factors, factors_of
from domain.services import Services
from tests.commands import Run, run
from tests.conftest import SECRET_KEY, settings_for
from tests.mail_proofs import (
    DATA_KEY,
    mailed_code,
    mailed_token,
    newest_mail,
    request_code,
    texts_where,
)
from tests.operations import (
    LOGIN,
    ME,
    RESET_PASSWORD,
    SECURE_ACCOUNT,
    SIGN_IN_BY_MAIL,
    VERIFY_EMAIL,
)
from tests.security_events import events
from tests.stored_factors import set_up_app, store_passkey
from tests.users import GraphQL, RegisteredUser

NOTICE = "factors_removed"


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def ada(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> RegisteredUser:
    """Ada, who may have second factors: her email is verified."""
    code = await mailed_code(app, "verify_email")
    assert (await graphql(VERIFY_EMAIL, by=ada, code=code)).errors == []
    return ada


async def remove_factors(
    database_url: str, folder: Path, *arguments: str, answer: str = "", data_key: str = DATA_KEY
) -> Run:
    """Run the command in a thread, with this text on its standard input."""
    with patch("sys.stdin", StringIO(answer)):
        return await asyncio.to_thread(
            run,
            ["users", "remove-factors", *arguments],
            folder,
            SECRET_KEY=SECRET_KEY,
            DATA_KEY=data_key,
            DATABASE_URL=database_url,
        )


async def factors(services: Services, user: RegisteredUser) -> Factors:
    async with services.database.reading() as session:
        return (await factors_of(session, [UUID(user.id)]))[UUID(user.id)]


async def log_in(graphql: GraphQL, user: RegisteredUser) -> str | None:
    """Return the code of the error, if there is one."""
    answer = await graphql(LOGIN, username=user.username, password=user.password)
    return answer.code if answer.errors else None


async def test_it_removes_all_factors_and_ends_all_sessions(
    graphql: GraphQL,
    services: Services,
    ada: RegisteredUser,
    database_url: str,
    tmp_path: Path,
) -> None:
    await set_up_app(services, ada)
    await store_passkey(services, ada)
    await store_passkey(services, ada)
    assert await log_in(graphql, ada) == "SECOND_FACTOR_REQUIRED"

    ended = await remove_factors(database_url, tmp_path, "--yes", " ADA@example.com ")

    assert (ended.status, ended.lines) == (
        0,
        [
            "Gatehouse: removed the authenticator app, 10 recovery codes and 2 passkeys, and ended"
            " 1 session."
        ],
    )
    assert await factors(services, ada) == Factors()
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"
    assert await log_in(graphql, ada) is None


async def test_it_is_recorded_and_mailed(
    app: FastAPI,
    graphql: GraphQL,
    services: Services,
    ada: RegisteredUser,
    database_url: str,
    tmp_path: Path,
) -> None:
    await set_up_app(services, ada)
    await remove_factors(database_url, tmp_path, "--yes", ada.email)

    signed_in = await graphql(LOGIN, username=ada.username, password=ada.password)
    [event] = await events(
        graphql, signed_in.data["login"]["accessToken"], kinds=["FACTORS_REMOVED"]
    )
    assert (event["device"], event["ip"], event["sessionId"]) == ("gatehouse", None, None)
    assert "The operator of Gatehouse removed" in await newest_mail(app, NOTICE)


async def test_the_link_in_the_mail_leads_to_a_new_password(
    app: FastAPI,
    graphql: GraphQL,
    services: Services,
    ada: RegisteredUser,
    database_url: str,
    tmp_path: Path,
) -> None:
    await set_up_app(services, ada)
    await remove_factors(database_url, tmp_path, "--yes", ada.email)

    token = await mailed_token(app, NOTICE)
    assert (await graphql(SECURE_ACCOUNT, token=token)).data == {"secureAccount": 0}
    reset = await graphql(RESET_PASSWORD, token=await mailed_token(app), new="difference engine")
    assert reset.errors == []
    assert await log_in(graphql, ada) == "INVALID_CREDENTIALS"


@pytest.mark.parametrize("has_app", [True, False])
async def test_one_kind_of_factor_is_removed_alone(
    services: Services, ada: RegisteredUser, database_url: str, tmp_path: Path, has_app: bool
) -> None:
    if has_app:
        await set_up_app(services, ada)
    else:
        await store_passkey(services, ada)
    ended = await remove_factors(database_url, tmp_path, "--yes", ada.email)

    what = "the authenticator app and 10 recovery codes" if has_app else "1 passkey"
    assert ended.lines == [f"Gatehouse: removed {what}, and ended 1 session."]


async def test_the_factors_of_others_stay(
    app: FastAPI,
    graphql: GraphQL,
    services: Services,
    ada: RegisteredUser,
    grace: RegisteredUser,
    database_url: str,
    tmp_path: Path,
) -> None:
    await store_passkey(services, ada)
    await store_passkey(services, grace)
    await remove_factors(database_url, tmp_path, "--yes", ada.email)

    assert await factors(services, grace) == Factors(passkeys=1)
    assert (await graphql(ME, by=grace)).errors == []


async def test_an_account_without_factors_stays_as_it_is(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, database_url: str, tmp_path: Path
) -> None:
    ended = await remove_factors(database_url, tmp_path, "--yes", ada.email)

    assert (ended.status, ended.lines) == (
        0,
        ["Gatehouse: the account has no authenticator app and no passkeys."],
    )
    assert (await graphql(ME, by=ada)).errors == []
    assert await texts_where(app, template=NOTICE) == []


async def test_an_account_without_a_password_is_said_to_be_one(
    app: FastAPI,
    graphql: GraphQL,
    services: Services,
    grace: RegisteredUser,
    database_url: str,
    tmp_path: Path,
) -> None:
    """A sign-in by mail removes the password of an account whose email was not verified."""
    ticket = await request_code(graphql, grace.email)
    answer = await graphql(SIGN_IN_BY_MAIL, ticket=ticket, code=await mailed_code(app))
    assert answer.data["signInByMail"]["user"]["hasPassword"] is False
    removed = "Gatehouse: removed 1 passkey, and ended"
    await store_passkey(services, grace)
    with_mail = await remove_factors(database_url, tmp_path, "--yes", grace.email)
    await store_passkey(services, grace)
    without_mail = await remove_factors(database_url, tmp_path, "--yes", grace.email, data_key="")

    assert with_mail.lines == [
        f"{removed} 1 session; the account has no password, and signs in with a code by mail."
    ]
    assert without_mail.lines == [
        f"{removed} no sessions; the account has no password, and without mail it cannot sign in."
    ]


@pytest.mark.parametrize("address", ["grace@example.com", "Grace", "", "\N{DIGIT ONE}" * 10_000])
async def test_an_address_that_no_account_has_is_a_line(
    ada: RegisteredUser, database_url: str, tmp_path: Path, address: str
) -> None:
    ended = await remove_factors(database_url, tmp_path, "--yes", address)

    assert (ended.status, ended.lines) == (1, ["gatehouse: no account has this address"])


@pytest.mark.any_database
@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1), ("", 130)])
async def test_it_asks_for_confirmation(
    services: Services,
    ada: RegisteredUser,
    database_url: str,
    tmp_path: Path,
    answer: str,
    status: int,
) -> None:
    await store_passkey(services, ada)
    ended = await remove_factors(database_url, tmp_path, ada.email, answer=answer)

    assert ended.status == status
    assert ended.stderr.startswith("Remove the second factors and passkeys of this account")
    assert await factors(services, ada) == Factors(passkeys=0 if status == 0 else 1)


@pytest.mark.any_database
async def test_a_database_that_is_away_is_a_line(tmp_path: Path) -> None:
    url = "postgresql://gatehouse:hunter2@127.0.0.1:1/gatehouse"
    ended = await remove_factors(url, tmp_path, "--yes", "ada@example.com")

    assert ended.status == 1
    [line] = ended.lines
    assert line.startswith("gatehouse: ")
    assert "hunter2" not in line
