"""People who register, and how a test speaks for them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from domain.devices import Device

# When the session of a token that a test makes by itself may end.
IN_A_YEAR = datetime.now(UTC) + timedelta(days=365)

# An id that nothing has.
NOBODY = "6f1d5b1e-7c53-4c0e-9a51-0d2b8a4f1c77"

# For tests that call the domain as a client on this machine.
HERE = Device.of("127.0.0.1")


@dataclass(frozen=True)
class Person:
    """Someone with an account, and the tokens that registering gave them."""

    id: str
    username: str
    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """What a GraphQL request came to."""

    data: Any
    errors: list[dict[str, Any]]

    @property
    def error(self) -> dict[str, Any]:
        """The one error there is."""
        [error] = self.errors
        return error

    @property
    def code(self) -> str:
        code: str = self.error["extensions"]["code"]
        return code

    @property
    def fields(self) -> dict[str, list[str]]:
        """The sentences for each argument at fault."""
        fields: dict[str, list[str]] = self.error["extensions"]["fields"]
        return fields


@dataclass(frozen=True)
class GraphQL:
    """``await graphql(document, **variables)`` as nobody, or ``by=ada`` as Ada."""

    client: httpx.AsyncClient

    async def __call__(
        self, document: str, *, by: Person | str | None = None, **variables: Any
    ) -> Answer:
        token = by.token if isinstance(by, Person) else by
        response = await self.client.post(
            "/graphql",
            # httpx would not send half of a surrogate pair; a browser escapes it, as this does.
            content=json.dumps({"query": document, "variables": variables}),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        assert response.status_code == 200, response.text
        body = response.json()
        return Answer(body.get("data"), body.get("errors", []))


REGISTER = """
mutation Register($username: String!, $email: String!, $password: String!) {
  register(input: { username: $username, email: $email, password: $password }) {
    accessToken tokenType expiresIn refreshToken
    user { id username email imageFile createdAt }
  }
}
"""

LOGIN = """
mutation Login($username: String!, $password: String!) {
  login(username: $username, password: $password) {
    accessToken tokenType expiresIn refreshToken
    user { id username email }
  }
}
"""

ME = "{ me { id username email imageFile createdAt } }"


async def join(graphql: GraphQL, username: str, email: str, password: str) -> Person:
    answer = await graphql(REGISTER, username=username, email=email, password=password)
    assert answer.errors == []
    token = answer.data["register"]
    return Person(
        token["user"]["id"],
        username,
        token["user"]["email"],
        password,
        token["accessToken"],
        token["refreshToken"],
    )
