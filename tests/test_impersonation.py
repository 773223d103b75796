"""Administrators who act in place of users."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from graphql import build_schema
from sqlalchemy import select

from db.models import LoginSession
from domain import admin
from domain.roles import OPERATOR, Role
from domain.services import Services
from domain.sessions.active import MAX_SESSIONS
from settings import Settings
from tests.admins import ACCOUNT, act, impersonate, impersonation, register_admin
from tests.conftest import client_of, settings_for
from tests.mail_proofs import DATA_KEY, texts_to, texts_where
from tests.operations import CREATE_POST, IMPERSONATE, LOGOUT, LOGOUT_EVERYWHERE, ME, REFRESH
from tests.paths import ROOT
from tests.posts import NOTES
from tests.sessions import is_signed_in, log_in, sessions
from tests.users import THIS_DEVICE, UNKNOWN_ID, GraphQL, RegisteredUser

ANYONE, ALLOWED, FORBIDDEN = "needs no session", None, "FORBIDDEN"
_ID = f'id: "{UNKNOWN_ID}"'
_TWO = f'{_ID}, reason: "a reason"'

#: What each mutation answers in an impersonated session, with its arguments. The table is complete:
#: a new mutation fails until it is decided what an impersonator may do.
MUTATIONS: dict[str, tuple[str | None, str]] = {
    "register": (ANYONE, ""),
    "startRegistration": (ANYONE, ""),
    "finishRegistration": (ANYONE, ""),
    "login": (ANYONE, ""),
    "requestSignIn": (ANYONE, ""),
    "signInByMail": (ANYONE, ""),
    "passSecondFactor": (ANYONE, ""),
    "finishSignIn": (ANYONE, ""),
    "startPasskeySignIn": (ANYONE, ""),
    "signInByPasskey": (ANYONE, ""),
    "undoEmailChange": (ANYONE, ""),
    "requestPasswordReset": (ANYONE, ""),
    "resetPassword": (ANYONE, ""),
    "secureAccount": (ANYONE, ""),
    "refresh": (ANYONE, ""),
    "createPost": (ALLOWED, '(input: { title: "Notes", content: "On the engine." }) { id }'),
    "updatePost": (
        "NOT_FOUND",
        f'({_ID}, input: {{ title: "Notes", content: "On the engine." }}) {{ id }}',
    ),
    "deletePost": ("NOT_FOUND", f"({_ID})"),
    # The flow of another session.
    "finishLinking": ("INVALID_CODE", '(code: "x", codeVerifier: "x") { id }'),
    "reauthenticate": (FORBIDDEN, '(input: { password: "analytical engine" }) { accessToken }'),
    "updateMe": (FORBIDDEN, '(input: { imageFile: "ada.png" }) { id }'),
    "requestEmailVerification": (FORBIDDEN, "{ ticket }"),
    "verifyEmail": (FORBIDDEN, '(code: "123456") { id }'),
    "requestEmailChange": (
        FORBIDDEN,
        '(newEmail: "new@example.com", currentPassword: "analytical engine") { ticket }',
    ),
    "confirmEmailChange": (FORBIDDEN, '(code: "123456") { id }'),
    "changePassword": (
        FORBIDDEN,
        '(currentPassword: "analytical engine", newPassword: "difference engine") { accessToken }',
    ),
    "setPassword": (FORBIDDEN, '(newPassword: "difference engine") { accessToken }'),
    "startTotp": (FORBIDDEN, "{ secret }"),
    "confirmTotp": (FORBIDDEN, '(code: "123456")'),
    "removeTotp": (FORBIDDEN, "{ id }"),
    "replaceRecoveryCodes": (FORBIDDEN, ""),
    "startPasskey": (FORBIDDEN, "{ ticket }"),
    "finishPasskey": (FORBIDDEN, '(answer: { ticket: "x", credential: {} }) { id }'),
    "renamePasskey": (FORBIDDEN, f'({_ID}, name: "Laptop") {{ id }}'),
    "removePasskey": (FORBIDDEN, f"({_ID})"),
    "startLinking": (
        FORBIDDEN,
        '(provider: "work", redirectTo: "https://app.example.com/", codeChallenge: "x")',
    ),
    "unlink": (FORBIDDEN, f"({_ID})"),
    "logoutEverywhere": (FORBIDDEN, ""),
    "endSession": (FORBIDDEN, f"({_ID})"),
    "exportMyData": (FORBIDDEN, ""),
    "deleteMe": (FORBIDDEN, '(password: "analytical engine")'),
    "disableAccount": (FORBIDDEN, f"({_TWO}) {{ id }}"),
    "enableAccount": (FORBIDDEN, f"({_TWO}) {{ id }}"),
    "requirePasswordReset": (FORBIDDEN, f"({_TWO}) {{ id }}"),
    "removeSecondFactors": (FORBIDDEN, f"({_TWO}) {{ id }}"),
    "endSessionsOf": (FORBIDDEN, f"({_TWO})"),
    "grantRole": (FORBIDDEN, f"({_TWO}, role: ADMIN) {{ id }}"),
    "revokeRole": (FORBIDDEN, f"({_TWO}, role: ADMIN) {{ id }}"),
    "impersonate": (FORBIDDEN, f"({_TWO}) {{ accessToken }}"),
    "correctAccount": (FORBIDDEN, f"({_TWO}, input: {{}}) {{ id }}"),
    "deleteAccount": (FORBIDDEN, f"({_TWO})"),
    "exportAccount": (FORBIDDEN, f"({_TWO})"),
    "invite": (FORBIDDEN, '(email: "new@example.com") { expiresAt }'),
    "revokeInvitation": (FORBIDDEN, '(email: "new@example.com")'),
    # The last one, since it ends the session.
    "logout": (ALLOWED, ""),
}


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY)


@pytest.fixture
async def adam(services: Services, graphql: GraphQL) -> RegisteredUser:
    return await register_admin(services, graphql, "Adam")


def test_it_is_decided_for_every_mutation() -> None:
    schema = build_schema((ROOT / "graphql_schema" / "schema.graphql").read_text())
    assert schema.mutation_type

    assert set(MUTATIONS) == set(schema.mutation_type.fields)


async def test_an_impersonator_changes_nothing_about_the_account(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    token = await impersonate(graphql, ada, by=adam)
    expected = {name: code for name, (code, _) in MUTATIONS.items() if code != ANYONE}
    found: dict[str, str | None] = {}
    for name in expected:
        answer = await graphql(f"mutation {{ {name}{MUTATIONS[name][1]} }}", by=token)
        found[name] = answer.code if answer.errors else None

    assert found == expected
    assert (await graphql(ME, by=ada)).data["me"]["username"] == "Ada"


async def test_the_token_says_who_acts(
    services: Services, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    token, refresh_token = await impersonation(graphql, ada, by=adam)
    refreshed = await graphql(REFRESH, token=refresh_token)
    own = services.access_tokens.read(adam.token)

    for text in (token, refreshed.data["refresh"]["accessToken"]):
        claims = services.access_tokens.read(text)
        assert (str(claims.caller.user_id), str(claims.actor_id)) == (ada.id, adam.id)
        assert claims.authentication.amr == own.authentication.amr
    assert own.actor_id is None


async def test_it_lasts_thirty_minutes_and_is_never_extended(
    services: Services, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    _, refresh_token = await impersonation(graphql, ada, by=adam)
    [before] = await impersonated(services)
    await graphql(REFRESH, token=refresh_token)
    [after] = await impersonated(services)

    assert before.expires_at == after.expires_at
    assert timedelta(0) < before.expires_at - datetime.now(UTC) <= timedelta(minutes=30)


async def test_the_owner_sees_it_and_ends_it(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    token = await impersonate(graphql, ada, by=adam)
    seen = await graphql("{ me { sessions { id impersonatedBy { username } } } }", by=ada)
    [id] = [one["id"] for one in seen.data["me"]["sessions"] if one["impersonatedBy"]]
    ended = await graphql("mutation ($id: ID!) { endSession(id: $id) }", by=ada, id=id)

    assert seen.data["me"]["sessions"][0]["impersonatedBy"] == {"username": "Adam"}
    assert ended.errors == []
    assert (await graphql(ME, by=token)).code == "UNAUTHENTICATED"


async def test_pages_can_tell_that_it_is_one(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    by_whom = "{ me { impersonatedBy { username } } }"
    token = await impersonate(graphql, ada, by=adam)

    assert (await graphql(by_whom, by=token)).data["me"]["impersonatedBy"] == {"username": "Adam"}
    assert (await graphql(by_whom, by=ada)).data["me"]["impersonatedBy"] is None


async def test_it_is_on_record_for_both(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await impersonate(graphql, ada, by=adam)
    events = "{ me { securityEvents(first: 1) { edges { node { kind detail actor { id } } } } } }"
    of_ada = (await graphql(events, by=ada)).data["me"]["securityEvents"]["edges"][0]["node"]
    of_adam = (await graphql(events, by=adam)).data["me"]["securityEvents"]["edges"][0]["node"]

    assert of_ada == {"kind": "IMPERSONATED", "detail": "to look", "actor": {"id": adam.id}}
    assert of_adam == {"kind": "IMPERSONATION_STARTED", "detail": ada.id, "actor": None}


async def test_the_owner_does_not_see_the_address_of_the_administrator(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await impersonate(graphql, ada, by=adam)
    seen = "sessions { method ip } securityEvents { edges { node { kind ip } } }"
    me = (await graphql(f"{{ me {{ {seen} }} }}", by=ada)).data["me"]
    of_ada = f"query ($id: ID!) {{ account(id: $id) {{ {seen} }} }}"
    account = (await graphql(of_ada, by=adam, id=ada.id)).data["account"]
    data = (await graphql("mutation { exportMyData }", by=ada)).data["exportMyData"]

    events = {edge["node"]["kind"]: edge["node"]["ip"] for edge in me["securityEvents"]["edges"]}
    assert events == {"IMPERSONATED": None, "REGISTERED": "127.0.0.1"}
    for shown in (me["sessions"], data["sessions"]):
        addresses = {session["method"]: session["ip"] for session in shown}
        assert addresses == {"IMPERSONATION": None, "REGISTRATION": "127.0.0.1"}
    assert {event["kind"]: event["ip"] for event in data["security_events"][1:]} == events
    assert account["securityEvents"]["edges"][0]["node"]["ip"] == "127.0.0.1"
    assert {session["ip"] for session in account["sessions"]} == {"127.0.0.1"}


async def test_what_happens_in_it_is_on_record_with_the_administrator(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    _, refresh_token = await impersonation(graphql, ada, by=adam)
    await graphql(REFRESH, token=refresh_token)
    account = (await graphql(ACCOUNT, by=adam, id=ada.id)).data["account"]
    newest = account["securityEvents"]["edges"][0]["node"]

    assert newest == {"kind": "REFRESHED", "detail": None, "actor": {"username": "Adam"}}


async def test_the_owner_is_told_by_mail(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await impersonate(graphql, ada, by=adam)
    mail = (await texts_to(app, ada.email))[-1]

    assert "in your place" in mail
    assert "Reason: to look" in mail


async def test_an_impersonator_writes_posts(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    token = await impersonate(graphql, ada, by=adam)
    answer = await graphql(CREATE_POST, by=token, input=NOTES)

    assert answer.data["createPost"]["author"]["id"] == ada.id


async def test_logout_ends_it_and_not_the_session_of_the_administrator(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    token = await impersonate(graphql, ada, by=adam)
    await graphql(LOGOUT, by=token)

    assert (await graphql(ME, by=token)).code == "UNAUTHENTICATED"
    assert await is_signed_in(graphql, adam)
    assert await is_signed_in(graphql, ada)


@pytest.mark.parametrize("ends", ["sessions", "role", "disabled", "deleted", "target has a role"])
async def test_it_ends_with_what_permits_it(
    services: Services, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser, ends: str
) -> None:
    await register_admin(services, graphql, "Eve")  # not the last one
    token, refresh_token = await impersonation(graphql, ada, by=adam)
    of_adam, of_ada = UUID(adam.id), UUID(ada.id)
    match ends:
        case "sessions":
            await graphql(LOGOUT_EVERYWHERE, by=adam, but=True)
        case "role":
            await admin.revoke_role(
                services, THIS_DEVICE, OPERATOR, of_adam, Role.ADMIN, reason="has left"
            )
        case "disabled":
            await admin.disable_account(services, THIS_DEVICE, OPERATOR, of_adam, reason="has left")
        case "deleted":
            await admin.delete_account(
                services, THIS_DEVICE, OPERATOR, of_adam, reason="has left", erase=False
            )
        case _:
            await admin.grant_role(
                services, THIS_DEVICE, OPERATOR, of_ada, Role.SUPPORT, reason="joins"
            )

    assert (await graphql(ME, by=token)).code == "UNAUTHENTICATED"
    assert (await graphql(REFRESH, token=refresh_token)).code == "UNAUTHENTICATED"
    assert (await graphql(ME, by=ada)).errors == []


async def test_it_ends_no_session_of_the_owner(
    services: Services, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    for _ in range(MAX_SESSIONS - 1):
        await log_in(graphql, ada)
    await impersonate(graphql, ada, by=adam)

    assert await is_signed_in(graphql, ada)
    assert len(await sessions(graphql, ada)) == MAX_SESSIONS


async def test_a_disabled_account_is_not_impersonated(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await act(graphql, "disableAccount", ada, by=adam)

    assert (await graphql(IMPERSONATE, by=adam, id=ada.id)).code == "INVALID_INPUT"


COOKIE = {"Gatehouse-Session": "cookie", "Origin": "http://gatehouse.test"}


async def test_a_browser_that_keeps_its_session_in_a_cookie_keeps_its_own(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    _, refresh_token = await impersonation(graphql, ada, by=adam)
    started = await client.post(
        "/graphql",
        json={"query": IMPERSONATE, "variables": {"id": ada.id}},
        headers={**COOKIE, "Authorization": f"Bearer {adam.token}"},
    )
    refreshed = await client.post(
        "/graphql",
        json={"query": REFRESH, "variables": {"token": refresh_token}},
        headers=COOKIE,
    )

    [error] = started.json()["errors"]
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert error["message"] == "Send this without the header Gatehouse-Session."
    assert refreshed.json()["data"]["refresh"]["refreshToken"] != "cookie"
    assert "set-cookie" not in {*started.headers, *refreshed.headers}


async def test_a_sign_in_of_the_owner_from_the_same_place_is_still_a_new_one(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    async with client_of(app, ip="192.0.2.1") as client:
        await impersonate(GraphQL(client), ada, by=adam)
        before = await texts_where(app, template="new_sign_in")
        await log_in(GraphQL(client), ada)

    assert before == []
    assert len(await texts_where(app, template="new_sign_in")) == 1


async def impersonated(services: Services) -> list[LoginSession]:
    async with services.database.reading() as session:
        found = await session.scalars(
            select(LoginSession).where(LoginSession.impersonator_id.is_not(None))
        )
        return list(found)
