"""Accounts that administrators correct, delete and export."""

import json
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from db.models import Post, SecurityEvent, User
from domain import admin
from domain.accounts import export
from domain.roles import OPERATOR
from domain.services import Services
from settings import Settings
from tests.admins import ACCOUNT, act, register_admin
from tests.conftest import settings_for
from tests.mail_proofs import DATA_KEY, mailed_code, request_code, texts_where
from tests.operations import LOGIN, ME, SIGN_IN_BY_MAIL, VERIFY_EMAIL
from tests.posts import publish
from tests.sessions import age_proofs
from tests.users import THIS_DEVICE, GraphQL, RegisteredUser

CORRECT = """
mutation ($id: ID!, $input: CorrectionInput!) {
  correctAccount(id: $id, input: $input, reason: "a typo") { username email emailVerified }
}
"""
DELETE = """
mutation ($id: ID!, $erase: Boolean!) {
  deleteAccount(id: $id, reason: "asked for it", erase: $erase)
}
"""
EXPORT = "mutation { exportMyData }"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY)


@pytest.fixture
async def adam(services: Services, graphql: GraphQL) -> RegisteredUser:
    return await register_admin(services, graphql, "Adam")


async def test_a_corrected_username_signs_in(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    answer = await graphql(CORRECT, by=adam, id=ada.id, input={"username": "Augusta"})

    assert answer.data["correctAccount"]["username"] == "Augusta"
    assert (await graphql(LOGIN, username="augusta", password=ada.password)).errors == []
    assert "username of your account" in (await texts_where(app, template="administered"))[-1]


async def test_a_corrected_email_is_told_at_both_addresses(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    answer = await graphql(CORRECT, by=adam, id=ada.id, input={"email": "ADA@example.org"})

    corrected = {"username": "Ada", "email": "ada@example.org", "emailVerified": False}
    assert answer.data["correctAccount"] == corrected
    for address in ("ada@example.com", "ada@example.org"):
        [mail] = await texts_where(app, template="administered", to=address)
        assert "Reason: a typo" in mail


async def test_a_code_that_was_sent_to_the_former_email_no_longer_works(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    ticket = await request_code(graphql)
    await graphql(CORRECT, by=adam, id=ada.id, input={"email": "ada@example.org"})
    answer = await graphql(SIGN_IN_BY_MAIL, ticket=ticket, code=await mailed_code(app))

    assert answer.code == "INVALID_CODE"


async def test_an_administrator_may_know_that_an_email_is_right(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    email = {"email": "ada@example.com", "emailVerified": True}
    answer = await graphql(CORRECT, by=adam, id=ada.id, input=email)

    assert answer.data["correctAccount"]["emailVerified"]
    account = (await graphql(ACCOUNT, by=adam, id=ada.id)).data["account"]
    assert account["securityEvents"]["edges"][0]["node"]["kind"] == "EMAIL_CHANGED"


async def test_the_email_that_an_account_has_stays_verified_and_is_told_once(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await graphql(
        CORRECT, by=adam, id=ada.id, input={"email": "ada@example.com", "emailVerified": True}
    )
    answer = await graphql(CORRECT, by=adam, id=ada.id, input={"email": "ada@example.com"})

    assert answer.data["correctAccount"]["emailVerified"]
    assert len(await texts_where(app, template="administered")) == 1


@pytest.mark.parametrize(
    ("input", "code", "field"),
    [
        ({"username": "Grace"}, "USERNAME_TAKEN", "username"),
        ({"email": "grace@example.com"}, "EMAIL_TAKEN", "email"),
        ({"username": "Augusta", "email": "grace@example.com"}, "EMAIL_TAKEN", "email"),
        ({"username": "x"}, "INVALID_INPUT", "username"),
        ({"email": "x"}, "INVALID_INPUT", "email"),
    ],
)
@pytest.mark.usefixtures("grace")
async def test_a_wrong_correction_changes_nothing(
    graphql: GraphQL,
    ada: RegisteredUser,
    adam: RegisteredUser,
    input: dict[str, str],
    code: str,
    field: str,
) -> None:
    answer = await graphql(CORRECT, by=adam, id=ada.id, input=input)

    assert answer.code == code
    assert list(answer.fields) == [field]
    assert (await graphql(ME, by=ada)).data["me"]["username"] == "Ada"


async def events_of(services: Services, user: RegisteredUser) -> list[SecurityEvent]:
    async with services.database.reading() as session:
        found = await session.scalars(
            select(SecurityEvent)
            .where(SecurityEvent.user_id == UUID(user.id))
            .order_by(SecurityEvent.id)
        )
        return list(found)


@pytest.mark.parametrize("erase", [False, True])
async def test_a_deleted_account_leaves_its_events_and_what_they_say_unless_it_is_erased(
    services: Services, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser, erase: bool
) -> None:
    await publish(graphql, ada)
    await act(graphql, "disableAccount", ada, by=adam)
    answer = await graphql(DELETE, by=adam, id=ada.id, erase=erase)
    first, *_, last = await events_of(services, ada)

    assert answer.data == {"deleteAccount": ada.id}
    assert (first.kind, last.kind) == ("REGISTERED", "DELETED")
    assert (first.ip is None) == erase
    assert (last.detail is None) == erase
    assert last.actor_id == UUID(adam.id)
    async with services.database.reading() as session:
        assert await session.get(User, UUID(ada.id)) is None
        assert (await session.scalars(select(Post.id))).all() == []


async def exported(graphql: GraphQL, by: RegisteredUser) -> dict[str, Any]:
    answer = await graphql(EXPORT, by=by)
    assert answer.errors == []
    data: dict[str, Any] = answer.data["exportMyData"]
    return data


async def test_users_export_what_is_stored_about_them(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    await publish(graphql, ada, title="Notes", content="On the engine.")
    data = await exported(graphql, ada)

    assert data["user"]["email"] == "ada@example.com"
    assert [event["kind"] for event in data["security_events"]] == ["EXPORTED", "REGISTERED"]
    assert [session["method"] for session in data["sessions"]] == ["REGISTRATION"]
    assert [post["content"] for post in data["posts"]] == ["On the engine."]
    assert data["truncated"] == []


async def test_an_export_has_no_secrets(
    services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    text = json.dumps(await exported(graphql, ada))

    for secret in ("argon2", "hash", ada.token, ada.refresh_token, ada.password, "sealed"):
        assert secret not in text


async def test_an_administrator_exports_the_same_and_it_is_on_record(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    own = await exported(graphql, ada)
    answer = await act(graphql, "exportAccount", ada, by=adam)
    data = answer.data["exportAccount"]

    assert data["user"] == own["user"]
    assert (data["security_events"][0]["kind"], data["security_events"][0]["actor_id"]) == (
        "EXPORTED",
        adam.id,
    )


async def test_an_export_takes_a_recent_proof(
    services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    await age_proofs(services)

    assert (await graphql(EXPORT, by=ada)).code == "REAUTHENTICATION_REQUIRED"


async def test_a_long_list_is_cut_and_named(
    graphql: GraphQL, ada: RegisteredUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_POSTS", 2)
    for number in range(3):
        await publish(graphql, ada, title=f"Notes {number}")
    data = await exported(graphql, ada)

    assert [post["title"] for post in data["posts"]] == ["Notes 2", "Notes 1"]
    assert data["truncated"] == ["posts"]


async def test_the_largest_export_fits_a_response(
    services: Services, graphql: GraphQL, ada: RegisteredUser
) -> None:
    content = '"' * 50_000
    for number in range(23):
        await publish(graphql, ada, title=f"Notes {number}", content=content)
    async with services.database.writing() as session:
        await session.execute(update(SecurityEvent).values(detail="x" * 200))
    data = await exported(graphql, ada)

    assert data["truncated"] == ["posts"]
    assert len(data["posts"]) == 20


async def test_the_operator_does_it_without_a_session(
    services: Services, ada: RegisteredUser
) -> None:
    id = UUID(ada.id)
    data = await admin.export_account(services, THIS_DEVICE, OPERATOR, id, reason="asked for it")
    await admin.delete_account(
        services, THIS_DEVICE, OPERATOR, id, reason="asked for it", erase=True
    )

    assert data["user"]["username"] == "Ada"
    assert (await events_of(services, ada))[-1].kind == "DELETED"
