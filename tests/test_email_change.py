"""Changing an email by proof of the new one, and undoing that from the former one."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from api.app import create_app
from db.models import Ticket, User
from domain.accounts.email_change import UNDO_LIFETIME
from domain.authentication.mail_requests import LIFETIME
from domain.mail.undeliverable import mark_undeliverable
from domain.services import Services
from settings import Settings
from tests.clocks import moved_clock
from tests.conftest import client_of, settings_for
from tests.mail_proofs import CODE, DATA_KEY, mailed, texts_to
from tests.operations import (
    CONFIRM_EMAIL_CHANGE,
    DELETE_ME,
    LOGIN,
    ME,
    REGISTER,
    REQUEST_EMAIL_CHANGE,
    REQUEST_PASSWORD_RESET,
    RESET_PASSWORD,
    UNDO_EMAIL_CHANGE,
    UPDATE_ME,
    VERIFY_EMAIL,
)
from tests.security_events import event_kinds
from tests.sessions import age_proofs, change_password, log_in
from tests.statements import statements
from tests.users import Answer, GraphQL, RegisteredUser, register_user

NEW, NEWER = "countess@example.com", "lovelace@example.com"
LINK = re.compile(r"/account/change-email#token=(\S+)")
UNDO = re.compile(r"/account/undo-email-change#token=(\S+)")
RESET = re.compile(r"/account/reset-password#token=(\S+)")
OTHER = "difference engine"
PENDING = "{ me { email emailVerified pendingEmail } }"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY)


async def request(
    graphql: GraphQL, by: RegisteredUser, email: str = NEW, password: str | None = None
) -> Answer:
    return await graphql(REQUEST_EMAIL_CHANGE, by=by, email=email, password=password or by.password)


async def confirm(graphql: GraphQL, by: RegisteredUser | None, code: str) -> Answer:
    return await graphql(CONFIRM_EMAIL_CHANGE, by=by, code=code)


async def undo(graphql: GraphQL, token: str) -> Answer:
    return await graphql(UNDO_EMAIL_CHANGE, token=token)


async def change(app: FastAPI, graphql: GraphQL, user: RegisteredUser, email: str = NEW) -> None:
    assert (await request(graphql, user, email)).errors == []
    assert (await confirm(graphql, user, await mailed(app, CODE, email))).errors == []


async def me(graphql: GraphQL, user: RegisteredUser) -> Any:
    return (await graphql(PENDING, by=user)).data["me"]


async def email_of(app: FastAPI, user: RegisteredUser) -> tuple[str, bool]:
    """Return the email of a user who may have no session, and whether it is verified."""
    async with app.state.gatehouse.services.database.reading() as session:
        found = await session.scalar(select(User).where(User.username == user.username))
    assert found
    return found.email, found.email_verified_at is not None


@pytest.fixture
async def undo_token(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> str:
    """Return the token that Ada got at her former address when her email was changed."""
    await change(app, graphql, ada)
    return await mailed(app, UNDO, ada.email)


async def test_until_it_is_confirmed_nothing_changes(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await request(graphql, ada, f" {NEW.upper()} ")

    asked = answer.data["requestEmailChange"]
    assert (len(asked["ticket"]), asked["expiresIn"]) == (64, LIFETIME.total_seconds())
    expected = {"email": ada.email, "emailVerified": False, "pendingEmail": NEW}
    assert await me(graphql, ada) == expected
    [mail] = await texts_to(app, NEW)
    assert "Ada" not in mail
    with moved_clock(LIFETIME + timedelta(seconds=1)):
        assert (await me(graphql, ada))["pendingEmail"] is None


@pytest.mark.parametrize("what", [CODE, LINK])
async def test_the_code_or_the_link_changes_the_email(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, what: re.Pattern[str]
) -> None:
    await request(graphql, ada)
    proof = await mailed(app, what, NEW)
    answer = await confirm(graphql, ada, proof)

    changed = {"id": ada.id, "email": NEW, "emailVerified": True, "pendingEmail": None}
    assert answer.data["confirmEmailChange"] == changed
    assert (await graphql(LOGIN, username=NEW, password=ada.password)).errors == []
    assert (await graphql(LOGIN, username=ada.email, password=ada.password)).errors != []
    assert (await event_kinds(graphql, ada))[1:3] == ["EMAIL_CHANGED", "LOGGED_IN"]
    assert "1 day" in (await texts_to(app, ada.email))[-1]
    assert (await confirm(graphql, ada, proof)).code == "INVALID_CODE"


async def test_it_needs_the_current_password(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    await age_proofs(services)
    without = await graphql(REQUEST_EMAIL_CHANGE, by=ada, email=NEW)
    wrong = await request(graphql, ada, password="difference engine")

    extensions = {"code": "REAUTHENTICATION_REQUIRED", "methods": ["PASSWORD"]}
    assert without.error["extensions"] == extensions
    assert wrong.code == "INVALID_CREDENTIALS"
    assert list(wrong.fields) == ["currentPassword"]
    assert (await me(graphql, ada))["pendingEmail"] is None


@pytest.mark.parametrize("email", ["", "ada", "ada@example.com", "a@b.co\r\nBcc: eve@example.com"])
async def test_what_is_no_new_address_is_invalid(
    graphql: GraphQL, ada: RegisteredUser, email: str
) -> None:
    answer = await request(graphql, ada, email)

    assert answer.code == "INVALID_INPUT"
    assert list(answer.fields) == ["newEmail"]


async def test_a_taken_email_gets_the_same_answer_for_the_same_work_and_no_mail(
    app: FastAPI, client: httpx.AsyncClient, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    headers = {"Authorization": f"Bearer {ada.token}"}
    mails, seen = await texts_to(app, grace.email), []
    for email in (NEW, grace.email):
        variables = {"email": email, "password": ada.password}
        body = {"query": REQUEST_EMAIL_CHANGE, "variables": variables}
        with statements() as executed:
            response = await client.post("/graphql", json=body, headers=headers)
        ticket = response.json()["data"]["requestEmailChange"]["ticket"]
        pending = (await me(GraphQL(client), ada))["pendingEmail"] == email
        seen.append((response.text.replace(ticket, ""), [sql for sql, _ in executed], pending))

    assert seen[0] == seen[1]
    assert await texts_to(app, grace.email) == mails


async def test_a_new_request_replaces_the_one_before(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await request(graphql, ada)
    old = [await mailed(app, what, NEW) for what in (CODE, LINK)]
    await request(graphql, ada, NEWER)

    assert [(await confirm(graphql, ada, proof)).code for proof in old] == ["INVALID_CODE"] * 2
    assert (await confirm(graphql, ada, await mailed(app, LINK, NEWER))).errors == []


async def test_only_the_account_that_asked_can_confirm(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    await request(graphql, ada)
    proofs = [await mailed(app, what, NEW) for what in (CODE, LINK)]

    assert [(await confirm(graphql, grace, proof)).code for proof in proofs] == ["INVALID_CODE"] * 2
    assert (await confirm(graphql, None, proofs[1])).code == "UNAUTHENTICATED"
    assert (await graphql(REQUEST_EMAIL_CHANGE, email=NEW)).code == "UNAUTHENTICATED"
    assert (await confirm(graphql, ada, proofs[1])).errors == []


async def test_opening_the_links_uses_nothing(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    async def open_link(page: str, document: str) -> None:
        headers = {"Authorization": f"Bearer {ada.token}"}
        for method in ("GET", "HEAD"):
            await client.request(method, f"/account/{page}", headers=headers)
            await client.request(method, "/graphql", params={"query": document}, headers=headers)

    await request(graphql, ada)
    token = await mailed(app, LINK, NEW)
    await open_link("change-email", f'mutation {{ confirmEmailChange(code: "{token}") {{ id }} }}')
    assert (await confirm(graphql, ada, token)).errors == []
    token = await mailed(app, UNDO, ada.email)
    await open_link("undo-email-change", f'mutation {{ undoEmailChange(token: "{token}") }}')
    assert (await undo(graphql, token)).errors == []


async def test_requests_and_codes_are_limited(database_url: str) -> None:
    settings = settings_for(
        database_url,
        data_key=DATA_KEY,
        mail_limit_per_address="1/hour",
        code_limit_per_account="2/hour",
    )
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        await register_user(graphql, "Grace", "grace@example.com", "nanoseconds of wire")
        requests = [
            await request(graphql, ada, email) for email in (NEW, "grace@example.com", NEW, NEWER)
        ]
        for _ in range(2):
            await confirm(graphql, ada, "x")
        right = await confirm(graphql, ada, await mailed(app, CODE, NEWER))

    # The mail of the registration counted for Grace's.
    codes = [answer.errors and answer.code for answer in requests]
    assert codes == [[], "TOO_MANY_ATTEMPTS", "TOO_MANY_ATTEMPTS", []]
    assert right.code == "TOO_MANY_ATTEMPTS"


async def test_an_email_that_was_taken_meanwhile_is_refused_at_last(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await request(graphql, ada)
    code = await mailed(app, CODE, NEW)
    grace = await register_user(graphql, "Grace", NEW, "nanoseconds of wire")
    taken = await confirm(graphql, ada, code)
    await graphql(DELETE_ME, by=grace, password=grace.password)

    assert taken.code == "EMAIL_TAKEN"
    assert list(taken.fields) == ["code"]
    assert (await confirm(graphql, ada, code)).errors == []


async def test_a_change_ends_what_was_sent_to_the_former_email(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    code = await mailed(app, CODE, ada.email)
    await graphql(REQUEST_PASSWORD_RESET, email=ada.email)
    reset = await mailed(app, RESET, ada.email)
    await change(app, graphql, ada)

    assert (await graphql(VERIFY_EMAIL, by=ada, code=code)).code == "INVALID_CODE"
    assert (await graphql(RESET_PASSWORD, token=reset, new=OTHER)).code == "INVALID_CODE"


async def test_a_new_password_ends_a_change_that_the_old_one_confirmed(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await request(graphql, ada)
    code = await mailed(app, CODE, NEW)
    ada = await change_password(graphql, ada, OTHER)

    assert (await confirm(graphql, ada, code)).code == "INVALID_CODE"


async def test_a_former_email_without_a_mailbox_gets_no_mail(
    app: FastAPI, services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await mark_undeliverable(services.database, ada.email)
    await change(app, graphql, ada)
    await change(app, graphql, ada, NEWER)

    assert len(await texts_to(app, ada.email)) == 1  # that of the registration
    assert await mailed(app, UNDO, NEW)


@pytest.mark.parametrize("was_verified", [True, False])
async def test_the_former_email_undoes_a_change(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, was_verified: bool
) -> None:
    if was_verified:
        await graphql(VERIFY_EMAIL, by=ada, code=await mailed(app, CODE, ada.email))
    await change(app, graphql, ada)
    await log_in(graphql, ada)
    undone = await undo(graphql, await mailed(app, UNDO, ada.email))

    assert undone.data == {"undoEmailChange": 2}
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"
    assert await email_of(app, ada) == (ada.email, was_verified)


async def test_after_an_undo_the_owner_chooses_another_password(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    await undo(graphql, undo_token)
    old = await graphql(LOGIN, username="Ada", password=ada.password)
    token = await mailed(app, RESET, ada.email)
    reset = await graphql(RESET_PASSWORD, token=token, new=OTHER)
    new = await log_in(graphql, replace(ada, password=OTHER))

    assert old.code == "INVALID_CREDENTIALS"
    assert reset.errors == []
    assert "EMAIL_CHANGE_UNDONE" in await event_kinds(graphql, new)


async def test_an_undo_ends_what_someone_else_has_under_way(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    await graphql(REQUEST_PASSWORD_RESET, email=NEW)
    reset = await mailed(app, RESET, NEW)
    await request(graphql, ada, NEWER)
    await undo(graphql, undo_token)

    assert (await graphql(RESET_PASSWORD, token=reset, new=OTHER)).code == "INVALID_CODE"
    async with app.state.gatehouse.services.database.reading() as session:
        kinds = (await session.scalars(select(Ticket.kind))).all()
    assert kinds == ["PASSWORD_RESET"]


async def test_an_undo_outlives_what_someone_else_does_with_the_account(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    thief = await change_password(graphql, ada, OTHER)
    await graphql(REQUEST_PASSWORD_RESET, email=NEW)
    token = await mailed(app, RESET, NEW)
    await graphql(RESET_PASSWORD, token=token, new="a third password")
    await change(
        app, graphql, await log_in(graphql, replace(thief, password="a third password")), NEWER
    )

    assert (await undo(graphql, undo_token)).errors == []
    assert await email_of(app, ada) == (ada.email, False)


async def test_the_undo_of_an_earlier_change_ends_that_of_a_later_one(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    await change(app, graphql, ada, NEWER)
    later = await mailed(app, UNDO, NEW)

    assert (await undo(graphql, undo_token)).errors == []
    # Whoever put in the address would otherwise take the account back.
    assert (await undo(graphql, later)).code == "INVALID_CODE"
    assert await email_of(app, ada) == (ada.email, False)


async def test_after_the_undo_of_a_later_change_that_of_an_earlier_one_works(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    await change(app, graphql, ada, NEWER)
    later = await undo(graphql, await mailed(app, UNDO, NEW))
    between = await email_of(app, ada)

    assert later.errors == []
    assert between == (NEW, True)
    assert (await undo(graphql, undo_token)).errors == []
    assert await email_of(app, ada) == (ada.email, False)


async def test_an_undo_works_once_and_for_a_day(
    graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    with moved_clock(UNDO_LIFETIME + timedelta(seconds=1)):
        late = await undo(graphql, undo_token)
    wrong = [await undo(graphql, token) for token in ("", "x", "A" * 64, "A" * 10_000)]
    right, again = await undo(graphql, undo_token), await undo(graphql, undo_token)

    assert timedelta(days=1) == UNDO_LIFETIME
    assert {answer.code for answer in (late, again, *wrong)} == {"INVALID_CODE"}
    assert list(again.fields) == ["token"]
    assert right.errors == []


async def test_an_undo_waits_until_nobody_else_has_the_email(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    squatter = await register_user(graphql, "Squatter", ada.email, "nanoseconds of wire")
    taken = await undo(graphql, undo_token)
    await graphql(DELETE_ME, by=squatter, password=squatter.password)

    assert taken.code == "EMAIL_TAKEN"
    assert list(taken.fields) == ["token"]
    assert (await undo(graphql, undo_token)).errors == []


async def test_a_deleted_account_has_no_undo(
    graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    await graphql(DELETE_ME, by=ada, password=ada.password)

    assert (await undo(graphql, undo_token)).code == "INVALID_CODE"


async def test_of_eight_confirmations_at_once_one_counts(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await request(graphql, ada)
    proofs = [await mailed(app, what, NEW) for what in (CODE, LINK)]
    answers = await asyncio.gather(*(confirm(graphql, ada, proof) for proof in proofs * 4))

    assert sum(not answer.errors for answer in answers) == 1
    assert {answer.code for answer in answers if answer.errors} == {"INVALID_CODE"}
    assert (await event_kinds(graphql, ada)).count("EMAIL_CHANGED") == 1


async def test_of_a_confirmation_and_a_registration_at_once_one_gets_the_email(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await request(graphql, ada)
    code = await mailed(app, CODE, NEW)
    grace = {"username": "Grace", "email": NEW, "password": OTHER}
    answers = await asyncio.gather(confirm(graphql, ada, code), graphql(REGISTER, **grace))

    assert [answer.code for answer in answers if answer.errors] == ["EMAIL_TAKEN"]


async def test_of_a_confirmation_and_a_password_reset_at_once_one_succeeds(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await request(graphql, ada)
    await graphql(REQUEST_PASSWORD_RESET, email=ada.email)
    code, token = await mailed(app, CODE, NEW), await mailed(app, RESET, ada.email)
    changed, reset = await asyncio.gather(
        confirm(graphql, ada, code), graphql(RESET_PASSWORD, token=token, new=OTHER)
    )

    assert bool(changed.errors) != bool(reset.errors)
    loser = changed if changed.errors else reset
    assert loser.code in ("INVALID_CODE", "UNAUTHENTICATED")
    assert await email_of(app, ada) == (ada.email if changed.errors else NEW, True)


async def test_an_undo_wins_over_another_change_at_the_same_time(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, undo_token: str
) -> None:
    await request(graphql, ada, NEWER)
    code = await mailed(app, CODE, NEWER)
    _, undone = await asyncio.gather(confirm(graphql, ada, code), undo(graphql, undo_token))

    assert undone.errors == []
    assert await email_of(app, ada) == (ada.email, False)
    assert (await graphql(ME, by=ada)).code == "UNAUTHENTICATED"


async def test_with_mail_no_email_changes_without_a_proof(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    new = await graphql(UPDATE_ME, by=ada, input={"email": NEW, "currentPassword": ada.password})
    same = await graphql(UPDATE_ME, by=ada, input={"email": ada.email, "username": "Countess"})

    assert new.code == "INVALID_INPUT"
    assert new.fields == {"email": ["Use requestEmailChange to change the email."]}
    assert same.errors == []


async def test_a_server_without_mail_says_so(database_url: str) -> None:
    app = create_app(settings_for(database_url))
    async with app.router.lifespan_context(app), client_of(app) as client:
        graphql = GraphQL(client)
        ada = await register_user(graphql, "Ada", "ada@example.com", "analytical engine")
        answers = [
            await request(graphql, ada),
            await confirm(graphql, ada, "123456"),
            await undo(graphql, "A" * 64),
        ]

    assert [answer.code for answer in answers] == ["MAIL_NOT_CONFIGURED"] * 3


async def test_a_pending_email_is_read_once_and_only_if_selected(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    await request(graphql, ada)
    with statements() as without:
        await graphql("{ me { email } }", by=ada)
    with statements() as selected:
        answer = await graphql("{ a: me { pendingEmail } b: me { pendingEmail } }", by=ada)

    assert answer.data == {"a": {"pendingEmail": NEW}, "b": {"pendingEmail": NEW}}
    assert len(selected) == len(without) + 1
