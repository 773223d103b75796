import subprocess
from pathlib import Path

import httpx
import pytest
from graphql import GraphQLSchema, build_schema, get_introspection_query

from domain.errors import ErrorCode
from graphql_schema.errors import PublishedErrorCode
from tests.conftest import client_of, settings_for, unprepared_app
from tests.people import GraphQL
from tests.servers import GATEHOUSE, environment

COMMITTED = Path(__file__).parent.parent / "graphql_schema" / "schema.graphql"


@pytest.fixture
def schema() -> GraphQLSchema:
    return build_schema(COMMITTED.read_text())


def test_the_committed_schema_is_what_the_code_serves(tmp_path: Path) -> None:
    printed = subprocess.run(
        [GATEHOUSE, "schema"], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )

    assert printed.returncode == 0
    assert printed.stdout == COMMITTED.read_text(), (
        "run `gatehouse schema > graphql_schema/schema.graphql`"
    )


def test_every_type_field_and_argument_is_described(schema: GraphQLSchema) -> None:
    undescribed = []
    for name, type_ in schema.type_map.items():
        if name.startswith("__"):
            continue
        parts = {name: type_}
        for part in ("fields", "values"):
            for field_name, field in getattr(type_, part, {}).items():
                parts[f"{name}.{field_name}"] = field
                for argument_name, argument in getattr(field, "args", {}).items():
                    parts[f"{name}.{field_name}({argument_name}:)"] = argument
        undescribed += [path for path, part in parts.items() if not part.description]

    assert undescribed == []


def test_an_email_is_a_field_of_private_users_alone(schema: GraphQLSchema) -> None:
    with_email = [
        name for name, type_ in schema.type_map.items() if "email" in getattr(type_, "fields", {})
    ]

    assert sorted(with_email) == ["PrivateUser", "RegisterInput", "UpdateMeInput"]


def test_every_code_of_the_domain_is_published() -> None:
    assert [code.name for code in PublishedErrorCode] == [code.name for code in ErrorCode]


async def test_in_development_the_schema_can_be_asked_for(graphql: GraphQL) -> None:
    answer = await graphql(get_introspection_query())
    mistyped = await graphql("{ mee { id } }")

    assert answer.errors == []
    assert "Did you mean" in mistyped.error["message"]


@pytest.mark.parametrize("tools_are_on", [False, True])
async def test_in_production_tools_are_off_unless_set_on(
    database_url: str, tools_are_on: bool
) -> None:
    names = ("introspection", "suggestions", "graphiql")
    chosen = dict.fromkeys(names, True) if tools_are_on else {}
    settings = settings_for(database_url, environment="production", **chosen)
    async with unprepared_app(settings) as app, client_of(app) as client:
        introspected = await GraphQL(client)("{ __schema { queryType { name } } }")
        mistyped = [await GraphQL(client)(text) for text in ("{ mee }", "{ user(idd: 5) { id } }")]
        page = await client.get("/graphql", headers={"Accept": "text/html"})

    assert (introspected.errors == []) is tools_are_on
    assert all(("Did you mean" in str(answer)) is tools_are_on for answer in mistyped)
    assert ("GraphiQL" in page.text) is tools_are_on


async def test_the_rest_routes_are_documented(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    page = await client.get("/docs")

    assert sorted(document["paths"]) == ["/health/live", "/health/ready", "/token", "/userinfo"]
    [scheme] = document["components"]["securitySchemes"].values()
    assert scheme["flows"]["password"]["tokenUrl"] == "token"
    assert page.status_code == 200
