"""Verifying an email with a code or a link."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from api.app import create_app
from domain.authentication.mail_requests import LIFETIME
from domain.mail.undeliverable import mark_undeliverable
from tests import mail_proofs
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.mail_proofs import CODE, DATA_KEY, texts_to
from tests.operations import (
    CONFIRM_EMAIL_CHANGE,
    LOGIN,
    REQUEST_EMAIL_CHANGE,
    REQUEST_EMAIL_VERIFICATION,
    UPDATE_ME,
    VERIFY_EMAIL,
)
from tests.outboxes import rows
from tests.security_events import event_kinds
from tests.users import Answer, GraphQL, RegisteredUser, register_user

LINK = re.compile(r"/account/verify-email#token=(\S+)")


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[FastAPI]:
    app = create_app(settings_for(database_url, data_key=DATA_KEY))
    async with app.router.lifespan_context(app):
        yield app


async def texts(app: FastAPI, email: str = "ada@example.com") -> list[str]:
    return await texts_to(app, email)


async def mailed(app: FastAPI, what: re.Pattern[str], email: str = "ada@example.com") -> str:
    return await mail_proofs.mailed(app, what, email)


async def request(graphql: GraphQL, by: RegisteredUser) -> Answer:
    return await graphql(REQUEST_EMAIL_VERIFICATION, by=by)


async def verify(graphql: GraphQL, by: RegisteredUser | None, code: str) -> Answer:
    return await graphql(VERIFY_EMAIL, by=by, code=code)


async def is_verified(graphql: GraphQL, by: RegisteredUser) -> bool:
    answer = await graphql("{ me { emailVerified } }", by=by)
    verified: bool = answer.data["me"]["emailVerified"]
    return verified


def another(code: str, by: int = 1) -> str:
    return f"{(int(code) + by) % 10**6:06}"


async def change_email(app: FastAPI, graphql: GraphQL, user: RegisteredUser, email: str) -> None:
    await graphql(REQUEST_EMAIL_CHANGE, by=user, email=email, password=user.password)
    code = await mailed(app, CODE, email)
    assert (await graphql(CONFIRM_EMAIL_CHANGE, by=user, code=code)).errors == []


@pytest.mark.parametrize("what", [CODE, LINK])
async def test_the_mail_after_the_registration_verifies_the_email(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, what: re.Pattern[str]
) -> None:
    assert not await is_verified(graphql, ada)

    answer = await verify(graphql, ada, await mailed(app, what))

    assert answer.data["verifyEmail"] == {"id": ada.id, "emailVerified": True}
    assert await is_verified(graphql, ada)
    assert (await event_kinds(graphql, ada))[-1] == "EMAIL_VERIFIED"


async def test_userinfo_login_and_me_agree(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    headers = {"Authorization": f"Bearer {ada.token}"}
    before = (await client.get("/userinfo", headers=headers)).json()
    await verify(graphql, ada, await mailed(app, CODE))
    after = (await client.get("/userinfo", headers=headers)).json()
    login = await graphql(LOGIN_VERIFIED, username="Ada", password=ada.password)

    assert (before["email_verified"], after["email_verified"]) == (False, True)
    assert login.data["login"]["user"]["emailVerified"] is True


LOGIN_VERIFIED = LOGIN.replace("user { id", "user { emailVerified id")


async def test_a_code_may_have_blanks(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> None:
    code = await mailed(app, CODE)

    assert (await verify(graphql, ada, f" {code[:3]} {code[3:]} ")).errors == []


async def test_a_code_can_be_requested_again(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await request(graphql, ada)

    asked = answer.data["requestEmailVerification"]
    assert asked["expiresIn"] == LIFETIME.total_seconds()
    assert len(asked["ticket"]) == 64
    assert len(await texts(app)) == 2
    assert (await verify(graphql, ada, await mailed(app, CODE))).errors == []


async def test_only_the_newest_code_works_but_older_links_do(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    old_code, old_token = await mailed(app, CODE), await mailed(app, LINK)
    await request(graphql, ada)

    assert (await verify(graphql, ada, old_code)).code == "INVALID_CODE"
    assert (await verify(graphql, ada, old_token)).errors == []


async def test_a_code_and_its_link_work_once_together(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    code, token = await mailed(app, CODE), await mailed(app, LINK)
    await verify(graphql, ada, code)

    again = [await verify(graphql, ada, proof) for proof in (code, token)]
    assert [answer.code for answer in again] == ["INVALID_CODE"] * 2
    assert list(again[0].fields) == ["code"]


async def test_a_verified_email_gets_no_more_codes(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await verify(graphql, ada, await mailed(app, CODE))

    assert (await request(graphql, ada)).code == "INVALID_INPUT"
    assert len(await texts(app)) == 1


async def test_after_five_wrong_codes_the_right_one_and_the_link_are_refused(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    code, token = await mailed(app, CODE), await mailed(app, LINK)
    wrong = [await verify(graphql, ada, another(code, by)) for by in range(1, 6)]
    right = [await verify(graphql, ada, proof) for proof in (code, token)]

    assert {answer.code for answer in wrong + right} == {"INVALID_CODE"}
    assert not await is_verified(graphql, ada)


async def test_the_fifth_code_may_be_right(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    code = await mailed(app, CODE)
    for by in range(1, 5):
        await verify(graphql, ada, another(code, by))

    assert (await verify(graphql, ada, code)).errors == []


@pytest.mark.parametrize("what", [CODE, LINK])
async def test_of_twenty_tries_at_once_one_verifies(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, what: re.Pattern[str]
) -> None:
    proof = await mailed(app, what)
    answers = await asyncio.gather(*(verify(graphql, ada, proof) for _ in range(20)))

    assert sum(not answer.errors for answer in answers) == 1
    assert {answer.code for answer in answers if answer.errors} == {"INVALID_CODE"}
    assert (await event_kinds(graphql, ada)).count("EMAIL_VERIFIED") == 1


async def test_of_twenty_wrong_codes_at_once_five_count_and_the_right_one_is_refused(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    code = await mailed(app, CODE)
    await asyncio.gather(*(verify(graphql, ada, another(code, by)) for by in range(1, 21)))

    assert (await verify(graphql, ada, code)).code == "INVALID_CODE"


@pytest.mark.parametrize("what", [CODE, LINK])
async def test_another_account_cannot_use_them(
    app: FastAPI,
    graphql: GraphQL,
    ada: RegisteredUser,
    grace: RegisteredUser,
    what: re.Pattern[str],
) -> None:
    proof = await mailed(app, what)

    assert (await verify(graphql, grace, proof)).code == "INVALID_CODE"
    assert not await is_verified(graphql, grace)
    assert not await is_verified(graphql, ada)
    # And it is not used up.
    assert (await verify(graphql, ada, proof)).errors == []


async def test_nobody_who_is_not_signed_in_verifies_or_requests(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    answers = [
        await verify(graphql, None, await mailed(app, LINK)),
        await graphql(REQUEST_EMAIL_VERIFICATION),
    ]

    assert [answer.code for answer in answers] == ["UNAUTHENTICATED"] * 2


async def test_opening_the_link_uses_nothing(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    token = await mailed(app, LINK)
    headers = {"Authorization": f"Bearer {ada.token}"}
    document = f'mutation {{ verifyEmail(code: "{token}") {{ id }} }}'
    for method in ("GET", "HEAD"):
        # As text of the address too: scanners may send it.
        await client.request(method, f"/account/verify-email?token={token}", headers=headers)
        await client.request(method, "/account/verify-email", headers=headers)
        await client.request(method, "/graphql", params={"query": document}, headers=headers)

    assert not await is_verified(graphql, ada)
    assert (await verify(graphql, ada, token)).errors == []


@pytest.mark.parametrize("what", [CODE, LINK])
async def test_they_expire(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, what: re.Pattern[str]
) -> None:
    proof = await mailed(app, what)
    with moved_clock(LIFETIME + timedelta(seconds=1)):
        late = await verify(graphql, ada, proof)

    assert late.code == "INVALID_CODE"


@pytest.mark.parametrize("what", [CODE, LINK])
async def test_a_change_of_the_email_ends_what_was_sent_before(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, what: re.Pattern[str]
) -> None:
    proof = await mailed(app, what)
    await change_email(app, graphql, ada, "countess@example.com")

    assert (await verify(graphql, ada, proof)).code == "INVALID_CODE"
    await change_email(app, graphql, ada, ada.email)
    assert (await verify(graphql, ada, proof)).code == "INVALID_CODE"


async def test_another_change_leaves_the_email_verified(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await verify(graphql, ada, await mailed(app, CODE))
    await graphql(UPDATE_ME, by=ada, input={"username": "Countess"})

    assert await is_verified(graphql, ada)


async def test_an_address_without_a_mailbox_gets_no_more_mail(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await mark_undeliverable(app.state.gatehouse.services.database, ada.email)

    assert (await request(graphql, ada)).code == "INVALID_INPUT"
    assert len(await texts(app)) == 1


NO_CODES = [
    "",
    " ",
    "12345",
    "1234567",
    "abcdef",
    "\u0000",
    "x" * 64,
    "٣" * 6,
    " " * 900_000,
    "1" * 900_000,
]


@pytest.mark.parametrize("code", NO_CODES, ids=lambda code: f"{len(code)} characters")
async def test_what_is_no_code_is_an_invalid_one(
    graphql: GraphQL, ada: RegisteredUser, code: str
) -> None:
    assert (await verify(graphql, ada, code)).code == "INVALID_CODE"


async def test_a_new_code_does_not_reset_the_count(database_url: str) -> None:
    settings = settings_for(database_url, data_key=DATA_KEY, code_limit_per_account="5/hour")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        code = await mailed(app, CODE)
        for by in range(1, 6):
            await verify(graphql, ada, another(code, by))
        await request(graphql, ada)
        refused = await verify(graphql, ada, await mailed(app, CODE))
        grace = await register_user(graphql, "Grace", "grace@example.com", "nanoseconds of wire")
        other = await verify(graphql, grace, await mailed(app, CODE, grace.email))

    assert refused.code == "TOO_MANY_ATTEMPTS"
    assert other.errors == []


async def test_mails_to_an_address_are_limited_from_the_registration_on(database_url: str) -> None:
    settings = settings_for(database_url, data_key=DATA_KEY, mail_limit_per_address="2/hour")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        last, refused = await request(graphql, ada), await request(graphql, ada)
        mails = await texts(app)

    assert 0 < last.data["requestEmailVerification"]["retryAfter"] <= 3600
    assert refused.code == "TOO_MANY_ATTEMPTS"
    assert len(mails) == 2


async def test_a_registration_works_although_its_address_has_had_too_many_mails(
    database_url: str,
) -> None:
    settings = settings_for(database_url, data_key=DATA_KEY, mail_limit_per_network="1/hour")
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        await register_user(graphql, "Grace", "grace@example.com", "nanoseconds of wire")
        mails = await texts(app), await texts(app, "grace@example.com")

    assert [len(one) for one in mails] == [1, 0]


async def test_a_server_without_mail_says_so(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        answers = [await request(graphql, ada), await verify(graphql, ada, "123456")]
        outbox = await rows(app.state.gatehouse.services.database)

    assert [answer.code for answer in answers] == ["MAIL_NOT_CONFIGURED"] * 2
    assert outbox == []
