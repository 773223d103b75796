"""Passkeys are both factors: no code is asked for, and they prove again who a caller is."""

from typing import Any

import pytest
from fastapi import FastAPI

from domain.access_tokens.tokens import Authentication
from domain.services import Services
from settings import Settings
from tests.authenticator import Authenticator
from tests.authenticator_apps import Clock, set_up
from tests.conftest import settings_for
from tests.mail_proofs import DATA_KEY, mailed_code, mailed_token
from tests.operations import (
    FACTORS,
    LOGIN,
    LOGOUT,
    REAUTHENTICATE,
    REFRESH,
    SECURE_ACCOUNT,
    START_PASSKEY,
    VERIFY_EMAIL,
)
from tests.passkeys import PASSKEY_SETTINGS, add, answered, sign_in, signed_in
from tests.security_events import event_kinds
from tests.sessions import age_proofs
from tests.users import Answer, GraphQL, RegisteredUser


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, data_key=DATA_KEY, **PASSKEY_SETTINGS)


@pytest.fixture
async def ada(app: FastAPI, graphql: GraphQL, ada: RegisteredUser) -> RegisteredUser:
    """Return Ada, who has verified her email."""
    answer = await graphql(VERIFY_EMAIL, by=ada, code=await mailed_code(app, "verify_email"))
    assert answer.errors == []
    return ada


@pytest.fixture
async def phone(graphql: GraphQL, ada: RegisteredUser) -> Authenticator:
    """Add a passkey to Ada's account, and return it."""
    return (await add(graphql, ada))[0]


def authentication_of(services: Services, token: str) -> Authentication:
    return services.access_tokens.read(token).authentication


async def prove(graphql: GraphQL, user: RegisteredUser, authenticator: Authenticator) -> Answer:
    proof = {"passkey": await answered(graphql, authenticator)}
    return await graphql(REAUTHENTICATE, by=user, input=proof)


async def test_after_a_passkey_no_code_is_asked_for(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator, services: Services, clock: Clock
) -> None:
    await set_up(graphql, ada, clock)
    by_password = await graphql(LOGIN, username="Ada", password=ada.password)
    by_passkey = await signed_in(graphql, ada, phone)

    challenge = by_password.error["extensions"]["challenge"]
    assert challenge["methods"] == ["TOTP", "RECOVERY_CODE", "PASSKEY"]
    assert authentication_of(services, by_passkey.token).has_second_factor
    assert (await graphql(START_PASSKEY, by=by_passkey)).errors == []


async def test_a_passkey_proves_again_who_the_caller_is(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator, services: Services
) -> None:
    await age_proofs(services)
    before = await graphql(START_PASSKEY, by=ada)
    proved = (await prove(graphql, ada, phone)).data["reauthenticate"]
    after = await graphql(START_PASSKEY, by=proved["accessToken"])

    assert before.error["extensions"]["methods"] == ["PASSWORD", "PASSKEY"]
    assert after.errors == []
    told = authentication_of(services, proved["accessToken"])
    assert told.amr == ("pwd", "swk", "user", "mfa")
    assert (await event_kinds(graphql, ada))[-1] == "REAUTHENTICATED"
    assert (await graphql(REFRESH, token=proved["refreshToken"])).errors == []
    assert (await graphql(REFRESH, token=ada.refresh_token)).code == "UNAUTHENTICATED"


async def test_an_answer_proves_once(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator
) -> None:
    proof = {"passkey": await answered(graphql, phone)}
    answers = [await graphql(REAUTHENTICATE, by=ada, input=proof) for _ in range(2)]

    assert answers[0].errors == []
    assert answers[1].code == "INVALID_CODE"
    assert answers[1].fields.keys() == {"credential"}


async def test_the_passkey_of_another_user_proves_nothing(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator, grace: RegisteredUser
) -> None:
    of_another = await prove(graphql, grace, phone)
    of_no_one = await prove(graphql, grace, Authenticator(handle=phone.handle))

    assert of_another.code == of_no_one.code == "INVALID_CODE"
    assert "unknownCredential" not in of_another.error["extensions"]
    assert of_no_one.error["extensions"]["unknownCredential"] is True
    # The owner of the session is told.
    assert (await event_kinds(graphql, grace))[-2:] == ["WRONG_CODE"] * 2
    assert "WRONG_CODE" not in await event_kinds(graphql, ada)


async def test_a_session_that_has_ended_is_not_renewed(
    graphql: GraphQL, ada: RegisteredUser, phone: Authenticator
) -> None:
    answer = await answered(graphql, phone)
    await graphql(LOGOUT, by=ada)
    refused = await graphql(REAUTHENTICATE, by=ada, input={"passkey": answer})

    assert refused.code == "UNAUTHENTICATED"
    assert (await sign_in(graphql, phone)).errors == []


async def test_the_link_of_its_notice_removes_a_passkey(
    app: FastAPI, graphql: GraphQL, ada: RegisteredUser, phone: Authenticator
) -> None:
    first = await mailed_token(app, "passkey_added")
    other, _ = await add(graphql, ada)
    await graphql(SECURE_ACCOUNT, token=first)

    # Both may be a thief's.
    for authenticator in (phone, other):
        answer = await sign_in(graphql, authenticator)
        assert answer.error["extensions"]["unknownCredential"] is True


LIST = FACTORS.replace("totp", "totp passkeys { id name isSynced createdAt lastUsedAt }")


async def test_the_owner_sees_the_passkeys_the_oldest_first(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    added = [(await add(graphql, ada, name=name))[1] for name in ("Phone", "Key")]

    assert await listed(graphql, ada) == added
    assert await listed(graphql, grace) == []


async def listed(graphql: GraphQL, user: RegisteredUser) -> list[dict[str, Any]]:
    answer = await graphql(LIST, by=user)
    assert answer.errors == []
    passkeys: list[dict[str, Any]] = answer.data["me"]["factors"]["passkeys"]
    return passkeys
