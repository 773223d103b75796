"""Requests that nobody thought of, made by schemathesis from the graph and from the OpenAPI document.

Whatever is asked, the answer is none of our failures, and holds nothing of another person's.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema

from tests import databases
from tests.conftest import DATABASES, SECRET_KEY
from tests.people import REGISTER
from tests.servers import Server, running_server

EXAMPLES = settings(
    max_examples=40,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module", params=DATABASES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    if request.param == "sqlite":
        url = databases.copy_of(request.getfixturevalue("migrated_sqlite"), folder)
    else:
        url = databases.empty_of_people(request.getfixturevalue("migrated_postgres"))
    with running_server(url, SECRET_KEY, folder) as server:
        yield server


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    """Grace's. Ada's email is what must not show."""
    for name in ("Ada", "Grace"):
        person = {"username": name, "email": f"{name}@example.com", "password": "correct horse 5"}
        answer = httpx.post(f"{server.url}/graphql", json={"query": REGISTER, "variables": person})
    access_token: str = answer.json()["data"]["register"]["accessToken"]
    return access_token


@pytest.mark.parametrize("kind", ["graph", "routes"])
def test_whatever_is_asked_nothing_breaks_and_nothing_leaks(
    server: Server, token: str, kind: str
) -> None:
    by_grace = {"Authorization": f"Bearer {token}"}
    schema: BaseSchema
    if kind == "graph":
        schema = schemathesis.graphql.from_url(f"{server.url}/graphql")
    else:
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")

    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) >= (11 if kind == "graph" else 4)

    for operation in operations:

        @EXAMPLES
        @given(case=operation.as_strategy())
        def ask(case: Case[Any]) -> None:
            response = case.call(headers=by_grace)

            assert response.status_code < 500, response.text
            for leak in ("INTERNAL_ERROR", "ada@example.com", "argon2"):
                assert leak not in response.text

        ask()

    assert "Traceback" not in server.logged()
    assert "request " not in server.logged()
