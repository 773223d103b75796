"""Requests that schemathesis generates from the GraphQL schema and from the OpenAPI document.

No request causes an internal error, or returns data of another user.
"""

import itertools
from typing import Any

import httpx
import pytest
import schemathesis
from graphql import (
    ListValueNode,
    NameNode,
    ObjectFieldNode,
    ObjectValueNode,
    ValueNode,
    parse_value,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema

from tests.operations import REGISTER
from tests.servers import Server


def object_of(fields: list[tuple[str, ValueNode]]) -> ObjectValueNode:
    # Each name once.
    return ObjectValueNode(
        fields=tuple(
            ObjectFieldNode(name=NameNode(value=name), value=value)
            for name, value in dict(fields).items()
        )
    )


EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


# Any literal.
schemathesis.graphql.scalar(
    "JSON",
    st.recursive(
        st.sampled_from(['"x"', '""', "0", "-1.5e9", "true", "null", "X"]).map(parse_value),
        lambda inner: (
            st.lists(inner, max_size=3).map(lambda values: ListValueNode(values=tuple(values)))
            | st.lists(st.tuples(st.sampled_from("abc"), inner), max_size=3).map(object_of)
        ),
        max_leaves=6,
    ),
)

PASSWORD = "correct horse 5"


#: Makes each user's name unique.
numbers = itertools.count()


def register(server: Server, name: str) -> str:
    """Return an access token of a new user."""
    user = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    answer = httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": user})
    access_token: str = answer.json()["data"]["register"]["accessToken"]
    return access_token


@pytest.fixture(scope="module", autouse=True)
def ada(shared_server: Server) -> None:
    """Register the user whose email must not appear."""
    register(shared_server, "Ada")


@pytest.mark.parametrize("kind", ["graph", "routes"])
def test_whatever_is_asked_nothing_breaks_and_nothing_leaks(
    shared_server: Server, kind: str
) -> None:
    schema: BaseSchema
    if kind == "graph":
        schema = schemathesis.graphql.from_url(f"{shared_server.url}/graphql")
    else:
        schema = schemathesis.openapi.from_url(f"{shared_server.url}/openapi.json")

    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) == (62 if kind == "graph" else 12)

    for operation in operations:
        # A user of its own: the last operation may have deleted the account.
        token = register(shared_server, f"User{next(numbers)}")
        fuzz(operation, by={"Authorization": f"Bearer {token}"})

    assert "Traceback" not in shared_server.logged()
    assert " ERROR " not in shared_server.logged()


def fuzz(operation: Any, *, by: dict[str, str]) -> None:
    @EXAMPLES
    @given(case=operation.as_strategy())
    def send(case: Case[Any]) -> None:
        response = case.call(headers=by)

        assert response.status_code < 500, response.text
        for leak in ("INTERNAL_ERROR", "ada@example.com", "argon2"):
            assert leak not in response.text

    send()
