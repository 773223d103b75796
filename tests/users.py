"""Registered users, and the GraphQL client that tests use on their behalf."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from domain.devices import Device
from tests.operations import REGISTER

# A time until which a token's session may last.
IN_A_YEAR = datetime.now(UTC) + timedelta(days=365)

# A valid id that no object has.
UNKNOWN_ID = "6f1d5b1e-7c53-4c0e-9a51-0d2b8a4f1c77"

# The device of tests that call the domain without HTTP.
THIS_DEVICE = Device.of("127.0.0.1")


@dataclass(frozen=True)
class RegisteredUser:
    """A user who has registered, with the tokens of one of their sessions."""

    id: str
    username: str
    email: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """The data and the errors of a GraphQL response."""

    data: Any
    errors: list[dict[str, Any]]

    @property
    def error(self) -> dict[str, Any]:
        """The error. Fails unless there is exactly one."""
        [error] = self.errors
        return error

    @property
    def code(self) -> str:
        """The code of the error."""
        code: str = self.error["extensions"]["code"]
        return code

    @property
    def fields(self) -> dict[str, list[str]]:
        """The messages for each invalid argument."""
        fields: dict[str, list[str]] = self.error["extensions"]["fields"]
        return fields


@dataclass(frozen=True)
class GraphQL:
    """A client of POST /graphql.

    ``await graphql(document, **variables)`` sends no token. ``by=ada`` sends Ada's.
    """

    client: httpx.AsyncClient

    async def __call__(
        self, document: str, *, by: RegisteredUser | str | None = None, **variables: Any
    ) -> Answer:
        token = by.token if isinstance(by, RegisteredUser) else by
        response = await self.client.post(
            "/graphql",
            # Escaped here: httpx cannot encode half of a surrogate pair, which a browser escapes.
            content=json.dumps({"query": document, "variables": variables}),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        assert response.status_code == 200, response.text
        body = response.json()
        return Answer(body.get("data"), body.get("errors", []))


async def register_user(
    graphql: GraphQL, username: str, email: str, password: str
) -> RegisteredUser:
    answer = await graphql(REGISTER, username=username, email=email, password=password)
    assert answer.errors == []
    token = answer.data["register"]
    return RegisteredUser(
        token["user"]["id"],
        username,
        token["user"]["email"],
        password,
        token["accessToken"],
        token["refreshToken"],
    )
