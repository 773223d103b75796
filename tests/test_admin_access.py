"""Accounts that administrators disable, sign out, or require a new password of."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from domain.accounts.password_reset import SAME_PASSWORD
from domain.admin.reasons import MAX_REASON_LENGTH
from domain.roles import Role
from domain.services import Services
from settings import Settings
from tests.admins import ACCOUNT, ARGUMENTS, act, impersonate, register_admin
from tests.authenticator import Authenticator
from tests.authenticator_apps import Clock, challenge, set_up, signed_in_with
from tests.conftest import settings_for
from tests.identity_provider import IdentityProvider
from tests.mail_proofs import DATA_KEY, mailed_code, mailed_token, newest_mail, request_code
from tests.operations import (
    LOGIN,
    PASS_SECOND_FACTOR,
    RESET_PASSWORD,
    SIGN_IN_BY_MAIL,
    VERIFY_EMAIL,
)
from tests.passkeys import add
from tests.passkeys import sign_in as sign_in_by_passkey
from tests.provider_sign_ins import Browser, finish, settings_of
from tests.provider_sign_ins import sign_in as sign_in_by_provider
from tests.security_events import event_kinds
from tests.sessions import is_signed_in, log_in
from tests.users import GraphQL, RegisteredUser

NEW = "difference engine"


@pytest.fixture
def settings(database_url: str, identity_provider: IdentityProvider) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY, **settings_of(identity_provider))


@pytest.fixture
async def adam(services: Services, graphql: GraphQL) -> RegisteredUser:
    return await register_admin(services, graphql, "Adam")


@pytest.fixture
async def ada(app: FastAPI, ada: RegisteredUser, graphql: GraphQL) -> RegisteredUser:
    """Ada, who has verified her email, without which she could add no factor."""
    await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    return ada


async def disable(graphql: GraphQL, user: RegisteredUser, adam: RegisteredUser) -> None:
    answer = await act(graphql, "disableAccount", user, by=adam)
    assert answer.errors == []


async def test_disabling_ends_every_token_at_once(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    other = await log_in(graphql, ada)
    await disable(graphql, ada, adam)

    assert not await is_signed_in(graphql, ada)
    assert not await is_signed_in(graphql, other)


async def test_a_disabled_account_is_refused_by_its_password(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await disable(graphql, ada, adam)
    right = await graphql(LOGIN, username="Ada", password=ada.password)
    wrong = await graphql(LOGIN, username="Ada", password="another one")
    form = {"grant_type": "password", "username": "Ada", "password": ada.password}
    at_token = await client.post("/token", data=form)

    assert right.code == "ACCOUNT_DISABLED"
    assert wrong.code == "INVALID_CREDENTIALS"
    assert (at_token.status_code, at_token.json()["error"]) == (400, "invalid_grant")


async def test_a_disabled_account_is_refused_by_a_mailed_code(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    ticket = await request_code(graphql)
    await disable(graphql, ada, adam)
    answer = await graphql(SIGN_IN_BY_MAIL, ticket=ticket, code=await mailed_code(app))

    assert answer.code == "ACCOUNT_DISABLED"


async def test_a_disabled_account_is_refused_by_its_passkey(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    authenticator, _ = await add(
        graphql, ada, Authenticator(rp_id="localhost", origin="http://localhost:8000")
    )
    await disable(graphql, ada, adam)

    assert (await sign_in_by_passkey(graphql, authenticator)).code == "ACCOUNT_DISABLED"


async def test_a_disabled_account_is_refused_by_its_provider(
    client: httpx.AsyncClient, graphql: GraphQL, adam: RegisteredUser
) -> None:
    first = await sign_in_by_provider(graphql, Browser(client), username="Ada")
    id = first.data["finishSignIn"]["user"]["id"]
    await act(graphql, "disableAccount", id, by=adam)
    browser = Browser(client)
    again = await finish(graphql, browser, await browser.code())

    assert again.code == "ACCOUNT_DISABLED"


async def test_a_disabled_account_is_refused_by_its_second_factor(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser, clock: Clock
) -> None:
    phone = await set_up(graphql, ada, clock)
    ticket = (await challenge(graphql, ada))["ticket"]
    await disable(graphql, ada, adam)
    answer = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code())

    assert answer.code == "ACCOUNT_DISABLED"


async def test_an_enabled_account_signs_in_again(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await disable(graphql, ada, adam)
    disabled = (await graphql(ACCOUNT, by=adam, id=ada.id)).data["account"]
    mail = await newest_mail(app, "administered")
    await act(graphql, "enableAccount", ada, by=adam, arguments='reason: "Promised to stop"')
    second_mail = await newest_mail(app, "administered")
    enabled = (await graphql(ACCOUNT, by=adam, id=ada.id)).data["account"]

    assert (disabled["disabledReason"], enabled["disabledReason"]) == ("a reason", None)
    assert disabled["disabledAt"]
    assert enabled["disabledAt"] is None
    assert "disabled your account" in mail
    assert "Reason: Promised to stop" in second_mail
    assert await is_signed_in(graphql, await log_in(graphql, ada))
    kinds = await event_kinds(graphql, await log_in(graphql, ada))
    assert kinds[2:4] == ["DISABLED", "ENABLED"]


#: What each act records, in an order in which each does something, and what the detail is. The
#: events of an impersonation are tested with it.
RECORDED = {
    "disableAccount": ("DISABLED", "a reason"),
    "enableAccount": ("ENABLED", "a reason"),
    "grantRole": ("ROLE_GRANTED", "SUPPORT: a reason"),
    "revokeRole": ("ROLE_REVOKED", "SUPPORT: a reason"),
    "endSessionsOf": ("SESSION_ENDED", "a reason"),
    "correctAccount": ("USERNAME_CHANGED", "a reason"),
    "exportAccount": ("EXPORTED", "a reason"),
    "removeSecondFactors": ("FACTORS_REMOVED", "a reason"),
    "requirePasswordReset": ("PASSWORD_RESET_REQUIRED", "a reason"),
}


async def newest_event(
    graphql: GraphQL, user: RegisteredUser, by: RegisteredUser
) -> dict[str, Any]:
    account = (await graphql(ACCOUNT, by=by, id=user.id)).data["account"]
    event: dict[str, Any] = account["securityEvents"]["edges"][0]["node"]
    return event


async def test_what_was_done_is_on_record_with_the_reason_and_who_did_it(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser, clock: Clock
) -> None:
    phone = await set_up(graphql, ada, clock)
    found = {}
    for mutation in RECORDED:
        if mutation == "endSessionsOf":
            await signed_in_with(graphql, ada, phone.code())
        assert (await act(graphql, mutation, ada, by=adam)).errors == []
        event = await newest_event(graphql, ada, adam)
        found[mutation] = (event["kind"], event["detail"])
        assert event["actor"] == {"username": "Adam"}

    assert found == RECORDED
    assert set(found) == set(ARGUMENTS) - {"impersonate", "deleteAccount"}


@pytest.mark.parametrize("mutation", ARGUMENTS)
async def test_a_reason_is_one_line(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser, mutation: str
) -> None:
    for reason in ("", " ", "x" * (MAX_REASON_LENGTH + 1), "two\\nlines"):
        arguments = ARGUMENTS[mutation].replace("a reason", reason)
        answer = await act(graphql, mutation, ada, by=adam, arguments=arguments)

        assert answer.code == "INVALID_INPUT"
        assert list(answer.fields) == ["reason"]


@pytest.mark.parametrize("role", Role)
async def test_the_longest_reason_is_kept_with_the_role(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser, role: Role
) -> None:
    reason = "x" * MAX_REASON_LENGTH
    arguments = f'role: {role}, reason: "{reason}"'
    answer = await act(graphql, "grantRole", ada, by=adam, arguments=arguments)

    assert answer.errors == []
    assert (await newest_event(graphql, ada, adam))["detail"] == f"{role}: {reason}"


async def test_the_reason_is_not_for_those_whom_the_user_impersonates(
    services: Services, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    eve = await register_admin(services, graphql, "Eve")
    await impersonate(graphql, ada, by=eve)
    answer = await act(graphql, "endSessionsOf", eve, by=adam)

    assert answer.data == {"endSessionsOf": 2}
    event = await newest_event(graphql, ada, adam)
    assert (event["kind"], event["detail"]) == ("SESSION_ENDED", None)


async def test_ending_the_sessions_of_a_user_counts_them(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await log_in(graphql, ada)
    answer = await act(graphql, "endSessionsOf", ada, by=adam)

    assert answer.data == {"endSessionsOf": 2}
    assert not await is_signed_in(graphql, ada)


async def test_a_password_that_must_be_reset_signs_nobody_in(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser
) -> None:
    await act(graphql, "requirePasswordReset", ada, by=adam)
    required = (await graphql(ACCOUNT, by=adam, id=ada.id)).data["account"]
    refused = await graphql(LOGIN, username="Ada", password=ada.password)
    wrong = await graphql(LOGIN, username="Ada", password="another one")
    token = await mailed_token(app, "password_reset_required")
    same = await graphql(RESET_PASSWORD, token=token, new=ada.password)
    await graphql(RESET_PASSWORD, token=token, new=NEW)

    assert required["passwordResetRequired"]
    assert (refused.code, wrong.code) == ("PASSWORD_RESET_REQUIRED", "INVALID_CREDENTIALS")
    assert same.fields == {"newPassword": [SAME_PASSWORD]}
    assert (await graphql(LOGIN, username="Ada", password=NEW)).errors == []


async def test_a_second_factor_does_not_complete_what_the_former_password_began(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser, clock: Clock
) -> None:
    phone = await set_up(graphql, ada, clock)
    ticket = (await challenge(graphql, ada))["ticket"]
    await act(graphql, "requirePasswordReset", ada, by=adam)
    answer = await graphql(PASS_SECOND_FACTOR, ticket=ticket, code=phone.code())

    assert answer.code == "INVALID_CODE"
    assert not await is_signed_in(graphql, ada)


async def test_an_account_without_a_password_has_none_to_reset(
    client: httpx.AsyncClient, graphql: GraphQL, adam: RegisteredUser
) -> None:
    first = await sign_in_by_provider(graphql, Browser(client), username="Ada")
    id = first.data["finishSignIn"]["user"]["id"]

    assert (await act(graphql, "requirePasswordReset", id, by=adam)).code == "INVALID_INPUT"


async def test_lost_factors_are_removed(
    graphql: GraphQL, ada: RegisteredUser, adam: RegisteredUser, clock: Clock
) -> None:
    await set_up(graphql, ada, clock)
    await act(graphql, "removeSecondFactors", ada, by=adam)
    account = (await graphql(ACCOUNT, by=adam, id=ada.id)).data["account"]

    assert account["factors"] == {"totp": False}
    assert account["securityEvents"]["edges"][0]["node"]["detail"] == "a reason"
    assert (await graphql(LOGIN, username="Ada", password=ada.password)).errors == []


async def test_an_administrator_removes_no_factor_of_their_own_this_way(
    graphql: GraphQL, adam: RegisteredUser
) -> None:
    assert (await act(graphql, "removeSecondFactors", adam, by=adam)).code == "FORBIDDEN"
