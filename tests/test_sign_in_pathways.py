"""Every pathway to a session (OWASP ASVS 5, 6.1.3): with a second factor, none of them returns a
token before the second step."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from graphql import GraphQLObjectType, build_schema, get_named_type
from sqlalchemy import func, select

from db.models import LoginSession
from domain.services import Services
from settings import Settings
from tests.authenticator import UV, Authenticator
from tests.authenticator_apps import App, Clock, set_up
from tests.conftest import settings_for
from tests.identity_provider import IdentityProvider
from tests.mail_proofs import DATA_KEY, mailed_code, mailed_token, request_code
from tests.operations import (
    CHANGE_PASSWORD,
    CONFIRM_EMAIL_CHANGE,
    FINISH_REGISTRATION,
    FINISH_SIGN_IN,
    IMPERSONATE,
    LOGIN,
    PASS_SECOND_FACTOR,
    REAUTHENTICATE,
    REFRESH,
    REGISTER,
    REQUEST_EMAIL_CHANGE,
    REQUEST_PASSWORD_RESET,
    RESET_PASSWORD,
    SECURE_ACCOUNT,
    SET_PASSWORD,
    SIGN_IN_BY_MAIL,
    SIGN_IN_BY_PASSKEY,
    START_REGISTRATION,
    UNDO_EMAIL_CHANGE,
    VERIFY_EMAIL,
)
from tests.passkeys import add, answered
from tests.paths import ROOT
from tests.provider_sign_ins import Browser, settings_of
from tests.sessions import log_in
from tests.users import GraphQL, RegisteredUser

NEW = "difference engine"


@dataclass(frozen=True)
class World:
    """Ada, who has an authenticator app, and what she had before she set it up."""

    app: FastAPI
    client: httpx.AsyncClient
    graphql: GraphQL
    ada: RegisteredUser
    phone: App
    #: The tokens of a session that was started before.
    earlier: RegisteredUser


@pytest.fixture
def settings(database_url: str, identity_provider: IdentityProvider) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY, **settings_of(identity_provider))


@pytest.fixture
async def world(
    app: FastAPI, client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> World:
    await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    earlier = await log_in(graphql, ada)
    phone = await set_up(graphql, ada, clock)
    return World(app, client, graphql, ada, phone, earlier)


async def login_with_username(world: World) -> str:
    return await told(world, LOGIN, username="Ada", password=world.ada.password)


async def login_with_email(world: World) -> str:
    return await told(world, LOGIN, username=world.ada.email, password=world.ada.password)


async def login_in_a_cookie(world: World) -> str:
    response = await world.client.post(
        "/graphql",
        json={
            "query": LOGIN,
            "variables": {"username": "Ada", "password": world.ada.password},
        },
        headers={"Gatehouse-Session": "cookie", "Origin": "http://127.0.0.1:8000"},
    )
    assert "set-cookie" not in response.headers
    return response.text


async def password_grant(world: World) -> str:
    form = {"grant_type": "password", "username": "Ada", "password": world.ada.password}
    return (await world.client.post("/token", data=form)).text


async def code_by_mail(world: World) -> str:
    ticket = await request_code(world.graphql)
    return await told(world, SIGN_IN_BY_MAIL, ticket=ticket, code=await mailed_code(world.app))


async def password_reset(world: World) -> str:
    await world.graphql(REQUEST_PASSWORD_RESET, email=world.ada.email)
    token = await mailed_token(world.app)
    reset = await told(world, RESET_PASSWORD, token=token, new=NEW)
    return reset + await told(world, LOGIN, username="Ada", password=NEW)


async def refresh_of_an_earlier_session(world: World) -> str:
    graph = await told(world, REFRESH, token=world.earlier.refresh_token)
    form = {"grant_type": "refresh_token", "refresh_token": world.earlier.refresh_token}
    return graph + (await world.client.post("/token", data=form)).text


async def changes_within_an_earlier_session(world: World) -> str:
    current, by = world.ada.password, world.earlier
    changed = await told(world, CHANGE_PASSWORD, by=by, current=current, new=NEW)
    return changed + await told(world, SET_PASSWORD, by=by, new=NEW)


async def proof_within_an_earlier_session(world: World) -> str:
    proof = {"password": world.ada.password}
    return await told(world, REAUTHENTICATE, by=world.earlier, input=proof)


async def registration_of_the_same_account(world: World) -> str:
    account: dict[str, Any] = {
        "username": "Ada",
        "email": world.ada.email,
        "password": world.ada.password,
    }
    started = await world.graphql(START_REGISTRATION, **account)
    ticket = started.data["startRegistration"]["ticket"]
    registered = await told(world, REGISTER, **account)
    return registered + await told(world, FINISH_REGISTRATION, ticket=ticket, code="123456")


async def undo_of_an_email_change(world: World) -> str:
    await world.graphql(REQUEST_EMAIL_CHANGE, by=world.ada, email="new@example.com")
    code = await mailed_code(world.app, "change_email")
    await world.graphql(CONFIRM_EMAIL_CHANGE, by=world.ada, code=code)
    token = await mailed_token(world.app, "email_changed")
    undone = await told(world, UNDO_EMAIL_CHANGE, token=token)
    reset = await mailed_token(world.app)
    return undone + await told(world, RESET_PASSWORD, token=reset, new=NEW)


async def link_of_a_notice(world: World) -> str:
    return await told(world, SECURE_ACCOUNT, token=await mailed_token(world.app, "totp_added"))


async def second_step_without_a_code(world: World) -> str:
    answer = await world.graphql(LOGIN, username="Ada", password=world.ada.password)
    ticket = answer.error["extensions"]["challenge"]["ticket"]
    codes = ("", "000000", world.phone.code(steps=7), ticket)
    return "".join(
        [await told(world, PASS_SECOND_FACTOR, ticket=ticket, code=code) for code in codes]
    )


async def passkey_that_verifies_no_one(world: World) -> str:
    authenticator = Authenticator(rp_id="localhost", origin="http://localhost:8000")
    await add(world.graphql, world.ada, authenticator)
    authenticator.flags &= ~UV
    answer = await answered(world.graphql, authenticator)
    return await told(world, SIGN_IN_BY_PASSKEY, answer=answer)


async def provider_with_the_same_email(world: World) -> str:
    browser = Browser(world.client)
    code = await browser.code()
    return await told(world, FINISH_SIGN_IN, code=code, verifier=browser.verifier)


async def impersonation_without_a_role(world: World) -> str:
    return await told(world, IMPERSONATE, by=world.earlier, id=world.ada.id)


# Each with the mutations of the graph that it goes by.
PATHWAYS: dict[Callable[[World], Awaitable[str]], set[str]] = {
    login_with_username: {"login"},
    login_with_email: {"login"},
    login_in_a_cookie: {"login"},
    password_grant: set(),
    code_by_mail: {"signInByMail"},
    password_reset: set(),
    refresh_of_an_earlier_session: {"refresh"},
    changes_within_an_earlier_session: {"changePassword", "setPassword"},
    proof_within_an_earlier_session: {"reauthenticate"},
    registration_of_the_same_account: {"register", "finishRegistration"},
    undo_of_an_email_change: set(),
    link_of_a_notice: set(),
    second_step_without_a_code: {"passSecondFactor"},
    passkey_that_verifies_no_one: {"signInByPasskey"},
    provider_with_the_same_email: {"finishSignIn"},
    impersonation_without_a_role: {"impersonate"},
}


@pytest.mark.parametrize("pathway", PATHWAYS, ids=lambda pathway: pathway.__name__)
async def test_no_pathway_returns_a_token_before_the_second_step(
    services: Services, world: World, pathway: Callable[[World], Awaitable[str]]
) -> None:
    before = await sessions_so_far(services)
    answers = await pathway(world)

    assert re.findall(r'"(?:access|refresh)_?[tT]oken": ?"', answers) == []
    assert await sessions_so_far(services) == before


def test_every_mutation_that_returns_a_token_has_its_pathway() -> None:
    schema = build_schema((ROOT / "graphql_schema" / "schema.graphql").read_text())
    mutations = schema.mutation_type
    assert isinstance(mutations, GraphQLObjectType)
    returning = {
        name
        for name, field in mutations.fields.items()
        if get_named_type(field.type).name == "Token"
    }

    assert returning == set().union(*PATHWAYS.values())


async def told(
    world: World, operation: str, *, by: RegisteredUser | None = None, **variables: object
) -> str:
    """Return the response to an operation as a text."""
    headers = {"Authorization": f"Bearer {by.token}"} if by else {}
    body = {"query": operation, "variables": variables}
    return (await world.client.post("/graphql", json=body, headers=headers)).text


async def sessions_so_far(services: Services) -> int:
    """Return how many sessions there are, active or ended."""
    async with services.database.reading() as session:
        return await session.scalar(select(func.count()).select_from(LoginSession)) or 0
