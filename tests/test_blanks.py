"""White space around identifiers, tokens and credentials, as keyboards and files add it."""

import base64

import httpx
import pytest

from settings import Settings
from tests.conftest import settings_for
from tests.operations import REGISTER, UPDATE_ME
from tests.sessions import is_signed_in, refresh
from tests.users import GraphQL, RegisteredUser

SECRET = "a credential for tests, and for nothing else"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(
        database_url, introspection_client_id="shop", introspection_client_secret=SECRET
    )


async def test_blanks_are_not_registered(graphql: GraphQL, ada: RegisteredUser) -> None:
    registered = await graphql(
        REGISTER, username=" Grace\n", email="\tGrace@Example.com ", password="nanoseconds of wire"
    )
    again = await graphql(
        REGISTER, username="ADA ", email="other@example.com", password="nanoseconds of wire"
    )
    same_email = await graphql(
        REGISTER, username="Other", email=f" {ada.email}", password="nanoseconds of wire"
    )

    user = registered.data["register"]["user"]
    assert (user["username"], user["email"]) == ("Grace", "grace@example.com")
    assert (again.code, same_email.code) == ("USERNAME_TAKEN", "EMAIL_TAKEN")


async def test_blanks_are_not_updated_either(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    changes = {
        "username": " Countess ",
        "email": "c@example.com\n",
        "currentPassword": ada.password,
    }
    updated = await graphql(UPDATE_ME, by=ada, input=changes)
    taken = await graphql(UPDATE_ME, by=grace, input={"username": "countess\u00a0"})
    # The same email needs no password: it is no change.
    same = await graphql(UPDATE_ME, by=grace, input={"email": f" {grace.email} "})

    assert updated.data["updateMe"]["username"] == "Countess"
    assert updated.data["updateMe"]["email"] == "c@example.com"
    assert taken.code == "USERNAME_TAKEN"
    assert same.errors == []


async def test_a_refresh_token_from_a_file_is_refreshed(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser
) -> None:
    successor = await refresh(graphql, f" {ada.refresh_token}\n")
    response = await client.post(
        "/token", data={"grant_type": "refresh_token", "refresh_token": f"{successor}\r\n"}
    )

    assert response.status_code == 200


@pytest.mark.parametrize("kind", ["token", "refresh_token"])
async def test_a_token_from_a_file_is_introspected_and_revoked(
    client: httpx.AsyncClient, graphql: GraphQL, ada: RegisteredUser, kind: str
) -> None:
    # The client made its credential with `echo`, as its operator made the setting.
    credential = base64.b64encode(f"shop:{SECRET}\n".encode()).decode()
    form = {"token": f"{getattr(ada, kind)}\n"}
    introspected = await client.post(
        "/introspect", data=form, headers={"Authorization": f"Basic {credential}"}
    )
    revoked = await client.post("/revoke", data=form)

    assert introspected.json()["active"] is True
    assert revoked.status_code == 200
    assert not await is_signed_in(graphql, ada)
