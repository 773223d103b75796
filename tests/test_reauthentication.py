"""Proving again who the caller is, and what needs a recent proof."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from domain.services import Services
from settings import Settings
from tests.authenticator_apps import App, Clock, set_up
from tests.conftest import settings_for
from tests.mail_proofs import DATA_KEY
from tests.operations import (
    CHANGE_PASSWORD,
    DELETE_ME,
    ME,
    REAUTHENTICATE,
    REFRESH,
    REPLACE_RECOVERY_CODES,
    START_TOTP,
    UPDATE_ME,
)
from tests.security_events import event_kinds
from tests.sessions import age_proofs, log_in, sessions
from tests.users import IN_A_YEAR, Answer, GraphQL, RegisteredUser

BY_PASSWORD = {"code": "REAUTHENTICATION_REQUIRED", "methods": ["PASSWORD"]}
BY_CODE = {"code": "REAUTHENTICATION_REQUIRED", "methods": ["TOTP", "RECOVERY_CODE"]}


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY, environment="production")


def with_tokens(user: RegisteredUser, answer: Answer) -> RegisteredUser:
    assert answer.errors == []
    token = answer.data["reauthenticate"]
    return replace(user, token=token["accessToken"], refresh_token=token["refreshToken"])


async def by_password(graphql: GraphQL, user: RegisteredUser) -> RegisteredUser:
    answer = await graphql(REAUTHENTICATE, by=user, input={"password": user.password})
    return with_tokens(user, answer)


def issued_a_minute_ago(services: Services, user: RegisteredUser) -> RegisteredUser:
    """Return the user with an access token of their session that is a minute old."""
    caller = services.access_tokens.read(user.token).caller
    with pytest.MonkeyPatch.context() as patch:
        clock = SimpleNamespace(time=lambda: time.time() - 60)
        patch.setattr("domain.access_tokens.tokens.time", clock)
        token = services.access_tokens.issue(caller, not_after=IN_A_YEAR)
    return replace(user, token=token.value)


SENSITIVE: dict[str, tuple[str, dict[str, Any]]] = {
    "email": (UPDATE_ME, {"input": {"email": "new@example.com"}}),
    "password": (CHANGE_PASSWORD, {"new": "difference engine"}),
    "factor": (START_TOTP, {}),
    "account": (DELETE_ME, {}),
}


@pytest.mark.parametrize("what", SENSITIVE)
async def test_a_sensitive_change_needs_a_recent_proof(
    graphql: GraphQL, services: Services, ada: RegisteredUser, what: str
) -> None:
    operation, variables = SENSITIVE[what]
    await age_proofs(services, timedelta(minutes=11))
    refused = await graphql(operation, by=ada, **variables)
    proved = await by_password(graphql, ada)
    allowed = await graphql(operation, by=proved, **variables)

    assert refused.error["extensions"] == BY_PASSWORD
    assert allowed.errors == []


@pytest.mark.parametrize("what", SENSITIVE)
async def test_a_sign_in_is_a_proof_for_ten_minutes(
    graphql: GraphQL, services: Services, ada: RegisteredUser, what: str
) -> None:
    operation, variables = SENSITIVE[what]
    await age_proofs(services, timedelta(minutes=9))

    assert (await graphql(operation, by=ada, **variables)).errors == []


async def test_it_returns_the_next_tokens_of_the_same_session(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    proved = await by_password(graphql, ada)

    assert [session["isCurrent"] for session in await sessions(graphql, proved)] == [True]
    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"
    # Its former refresh token is not mistaken for a stolen one: the session goes on.
    assert (await graphql(REFRESH, token=proved.refresh_token)).errors == []
    assert (await event_kinds(graphql, proved))[-2:] == ["REAUTHENTICATED", "REFRESHED"]


async def test_a_token_from_before_the_proof_gains_nothing_by_it(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    """A thief's access token, whose owner proves who they are."""
    await age_proofs(services)
    await by_password(graphql, ada)
    old = issued_a_minute_ago(services, ada)

    assert (await graphql(ME, by=old)).errors == []
    assert (await graphql(START_TOTP, by=old)).error["extensions"] == BY_PASSWORD


async def test_refreshed_tokens_keep_the_proof(graphql: GraphQL, ada: RegisteredUser) -> None:
    proved = await by_password(graphql, ada)
    answer = await graphql(REFRESH, token=proved.refresh_token)
    refreshed = replace(ada, token=answer.data["refresh"]["accessToken"])

    assert (await graphql(START_TOTP, by=refreshed)).errors == []


async def test_the_proof_of_one_session_is_none_for_another(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    other = await log_in(graphql, ada)
    await age_proofs(services)
    await by_password(graphql, ada)

    assert (await graphql(START_TOTP, by=other)).error["extensions"] == BY_PASSWORD


async def test_a_wrong_password_proves_nothing(
    graphql: GraphQL, services: Services, ada: RegisteredUser
) -> None:
    await age_proofs(services)
    wrong = await graphql(REAUTHENTICATE, by=ada, input={"password": "wrong engine"})

    assert wrong.code == "INVALID_CREDENTIALS"
    assert list(wrong.fields) == ["password"]
    assert (await graphql(START_TOTP, by=ada)).error["extensions"] == BY_PASSWORD
    assert (await event_kinds(graphql, ada))[-1] == "WRONG_PASSWORD"


async def test_with_an_app_the_password_is_not_enough(
    graphql: GraphQL, services: Services, ada: RegisteredUser, clock: Clock
) -> None:
    await set_up(graphql, ada, clock)
    await age_proofs(services)
    answers = [
        await graphql(REAUTHENTICATE, by=ada, input={"password": ada.password}),
        await graphql(DELETE_ME, by=ada, password=ada.password),
        await graphql(REPLACE_RECOVERY_CODES, by=ada),
    ]

    assert [answer.error["extensions"] for answer in answers] == [BY_CODE] * 3


@pytest.mark.parametrize("kind", ["app", "recovery code"])
async def test_a_code_proves_it(
    graphql: GraphQL, services: Services, ada: RegisteredUser, clock: Clock, kind: str
) -> None:
    app = await set_up(graphql, ada, clock)
    await age_proofs(services)
    code = app.code() if kind == "app" else app.recovery_codes[0]
    answer = await graphql(REAUTHENTICATE, by=ada, input={"code": code})
    again = await graphql(REAUTHENTICATE, by=ada, input={"code": code})

    proved = with_tokens(ada, answer)
    assert again.code == "INVALID_CODE"
    assert (await graphql(REPLACE_RECOVERY_CODES, by=proved)).errors == []


async def test_a_code_of_another_user_proves_nothing(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, clock: Clock
) -> None:
    app = await set_up(graphql, grace, clock)
    for code in (app.code(), app.recovery_codes[0], "", "nonsense"):
        answer = await graphql(REAUTHENTICATE, by=ada, input={"code": code})
        assert answer.code == "INVALID_CODE"


async def test_of_ten_proofs_with_one_code_one_succeeds(
    graphql: GraphQL, ada: RegisteredUser, clock: Clock
) -> None:
    app: App = await set_up(graphql, ada, clock)
    answers = await asyncio.gather(
        *(graphql(REAUTHENTICATE, by=ada, input={"code": app.code()}) for _ in range(10))
    )

    assert sum(not answer.errors for answer in answers) == 1


async def test_exactly_one_proof_is_given(graphql: GraphQL, ada: RegisteredUser) -> None:
    for proof in ({}, {"password": ada.password, "code": "123456"}, {"password": None}):
        answer = await graphql(REAUTHENTICATE, by=ada, input=proof)
        assert answer.code == "GRAPHQL_VALIDATION_FAILED"


async def test_the_minutes_are_a_setting(database_url: str) -> None:
    with pytest.raises(ValueError, match="sudo_minutes"):
        settings_for(database_url, sudo_minutes=0)
