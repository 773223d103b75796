"""Adding and using the passkeys of registered users."""

from dataclasses import replace
from typing import Any

from tests.authenticator import Authenticator, Json
from tests.operations import (
    FINISH_PASSKEY,
    SIGN_IN_BY_PASSKEY,
    START_PASSKEY,
    START_PASSKEY_SIGN_IN,
)
from tests.users import Answer, GraphQL, RegisteredUser

#: Settings of a server that has passkeys for the pages of an `Authenticator`.
PASSKEY_SETTINGS = {
    "passkey_rp_id": "example.com",
    "passkey_origins": "https://app.example.com,https://example.com",
}


async def start(graphql: GraphQL, user: RegisteredUser) -> tuple[str, Json]:
    """Begin to add a passkey. Return the ticket and the options."""
    answer = await graphql(START_PASSKEY, by=user)
    assert answer.errors == []
    request = answer.data["startPasskey"]
    return request["ticket"], request["options"]


async def finish(
    graphql: GraphQL,
    user: RegisteredUser,
    ticket: str,
    credential: object,
    **name: str | None,
) -> Answer:
    answer = {"ticket": ticket, "credential": credential}
    return await graphql(FINISH_PASSKEY, by=user, answer=answer, **name)


async def add(
    graphql: GraphQL,
    user: RegisteredUser,
    authenticator: Authenticator | None = None,
    **name: str | None,
) -> tuple[Authenticator, dict[str, Any]]:
    """Add a passkey to a user's account. Return what makes its answers, and what it looks like."""
    authenticator = authenticator or Authenticator()
    ticket, options = await start(graphql, user)
    answer = await finish(graphql, user, ticket, authenticator.create(options), **name)
    assert answer.errors == []
    return authenticator, answer.data["finishPasskey"]


async def start_sign_in(graphql: GraphQL) -> tuple[str, Json]:
    """Begin a sign-in. Return the ticket and the options."""
    answer = await graphql(START_PASSKEY_SIGN_IN)
    assert answer.errors == []
    request = answer.data["startPasskeySignIn"]
    return request["ticket"], request["options"]


async def answered(graphql: GraphQL, authenticator: Authenticator) -> Json:
    """Return the answer to a new challenge, with its ticket."""
    ticket, options = await start_sign_in(graphql)
    return {"ticket": ticket, "credential": authenticator.get(options)}


async def sign_in(graphql: GraphQL, authenticator: Authenticator) -> Answer:
    return await graphql(SIGN_IN_BY_PASSKEY, answer=await answered(graphql, authenticator))


async def signed_in(
    graphql: GraphQL, user: RegisteredUser, authenticator: Authenticator
) -> RegisteredUser:
    """Return the same user with the tokens of a session that a passkey started."""
    answer = await sign_in(graphql, authenticator)
    assert answer.errors == []
    token = answer.data["signInByPasskey"]
    return replace(user, token=token["accessToken"], refresh_token=token["refreshToken"])
