"""What changes nothing does not wait for SQLite's single writer, nor make others wait for it."""

import httpx
import pytest

from domain.services import Services
from tests.operations import (
    CREATE_POST,
    DELETE_POST,
    END_SESSION,
    LOGIN,
    LOGOUT,
    LOGOUT_EVERYWHERE,
    REFRESH,
    UPDATE_ME,
    UPDATE_POST,
)
from tests.posts import NOTES, publish
from tests.sessions import log_in, sessions
from tests.users import UNKNOWN_ID, GraphQL, RegisteredUser

# The format of a refresh token, and none that was ever issued.
MADE_UP = "x" * 64


@pytest.fixture
async def signed_out(graphql: GraphQL, ada: RegisteredUser) -> RegisteredUser:
    """Ada with the tokens of a session that has ended."""
    phone = await log_in(graphql, ada)
    await graphql(LOGOUT, by=phone)
    return phone


async def test_tokens_that_are_worth_nothing(
    graphql: GraphQL, client: httpx.AsyncClient, signed_out: RegisteredUser, services: Services
) -> None:
    async with services.database.writing():
        refreshes = [
            await graphql(REFRESH, token=token) for token in (MADE_UP, signed_out.refresh_token)
        ]
        revocations = [
            await client.post("/revoke", data={"token": token})
            for token in (MADE_UP, signed_out.refresh_token, signed_out.token)
        ]

    assert [answer.code for answer in refreshes] == ["UNAUTHENTICATED"] * 2
    assert [response.status_code for response in revocations] == [200] * 3


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (LOGOUT, {}),
        (LOGOUT_EVERYWHERE, {}),
        (END_SESSION, {"id": UNKNOWN_ID}),
        (CREATE_POST, {"input": NOTES}),
        (UPDATE_POST, {"id": UNKNOWN_ID, "input": NOTES}),
        (DELETE_POST, {"id": UNKNOWN_ID}),
        (UPDATE_ME, {"input": {"imageFile": "ada.png"}}),
    ],
)
async def test_mutations_within_a_session_that_has_ended(
    graphql: GraphQL,
    signed_out: RegisteredUser,
    services: Services,
    document: str,
    variables: dict[str, object],
) -> None:
    async with services.database.writing():
        answer = await graphql(document, by=signed_out, **variables)

    assert answer.code == "UNAUTHENTICATED"


async def test_ids_that_are_not_the_callers(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, services: Services
) -> None:
    hers = await publish(graphql, grace)
    [session] = await sessions(graphql, grace)
    async with services.database.writing():
        answers = [
            await graphql(END_SESSION, by=ada, id=UNKNOWN_ID),
            await graphql(END_SESSION, by=ada, id=session["id"]),
            await graphql(DELETE_POST, by=ada, id=UNKNOWN_ID),
            await graphql(DELETE_POST, by=ada, id=hers["id"]),
            await graphql(UPDATE_POST, by=ada, id=hers["id"], input=NOTES),
        ]

    codes = [answer.code for answer in answers]
    assert codes == ["NOT_FOUND"] * 3 + ["FORBIDDEN"] * 2


async def test_a_password_that_no_account_can_have(
    graphql: GraphQL, ada: RegisteredUser, services: Services
) -> None:
    async with services.database.writing():
        answer = await graphql(LOGIN, username="Ada", password="x" * 129)

    assert answer.code == "INVALID_CREDENTIALS"
