import re
import subprocess
from pathlib import Path

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLNamedType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    get_introspection_query,
    get_named_type,
    is_abstract_type,
)

from domain.errors import ErrorCode
from tests.conftest import client_of, settings_for, unprepared_app
from tests.paths import ROOT, SCHEMA
from tests.servers import GATEHOUSE, environment
from tests.users import GraphQL

RELEASED = ROOT / "graphql_schema" / "released.graphql"
CHANGELOG = ROOT / "CHANGELOG.md"


@pytest.fixture
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text())


def test_the_committed_schema_is_what_the_code_serves(tmp_path: Path) -> None:
    printed = subprocess.run(
        [GATEHOUSE, "schema"], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )

    assert printed.returncode == 0
    assert printed.stdout == SCHEMA.read_text(), (
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


def test_an_email_is_reached_through_the_caller_alone(schema: GraphQLSchema) -> None:
    """List every path of output fields to an email that is not of staff: each returns the
    caller's own."""
    paths: list[tuple[str, ...]] = []
    roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
    # Each type is entered once on a path, so that cycles end.
    unread: list[tuple[GraphQLNamedType, tuple[str, ...], tuple[str, ...]]] = [
        (root, (root.name,), ()) for root in roots if root
    ]
    while unread:
        type_, path, entered = unread.pop()
        for possible in [
            type_,
            *(schema.get_possible_types(type_) if is_abstract_type(type_) else ()),
        ]:
            for name, field in getattr(possible, "fields", {}).items():
                if name == "email":
                    paths.append(path)
                inside = get_named_type(field.type)
                if inside.name not in entered:
                    unread.append((inside, (*path, f"{name}: {inside}"), (*entered, inside.name)))

    # Only fields for staff lead to accounts: test_admin_rights.py lists them.
    paths = [path for path in paths if not any(step.endswith(": Account") for step in path)]
    # What a provider says, of an account that the caller has linked.
    of_identities = [path for path in paths if path[-1].endswith(": Identity")]
    assert {path[1] for path in of_identities if "PrivateUser" not in ".".join(path)} == {
        "finishLinking: Identity"
    }
    assert sorted(".".join(path) for path in paths if path not in of_identities) == [
        "Mutation.changePassword: Token.user: PrivateUser",
        "Mutation.confirmEmailChange: PrivateUser",
        "Mutation.finishRegistration: Token.user: PrivateUser",
        "Mutation.finishSignIn: Token.user: PrivateUser",
        "Mutation.impersonate: Token.user: PrivateUser",
        "Mutation.login: Token.user: PrivateUser",
        "Mutation.passSecondFactor: Token.user: PrivateUser",
        "Mutation.reauthenticate: Token.user: PrivateUser",
        "Mutation.refresh: Token.user: PrivateUser",
        "Mutation.register: Token.user: PrivateUser",
        "Mutation.removeTotp: PrivateUser",
        "Mutation.setPassword: Token.user: PrivateUser",
        "Mutation.signInByMail: Token.user: PrivateUser",
        "Mutation.signInByPasskey: Token.user: PrivateUser",
        "Mutation.updateMe: PrivateUser",
        "Mutation.verifyEmail: PrivateUser",
        "Query.me: PrivateUser",
        "Subscription.me: PrivateUser",
    ]


def unannounced(released: GraphQLSchema, schema: GraphQLSchema, changelog: str) -> list[str]:
    """Return the breaking changes without an entry `- **Breaking**: ...` in the changelog."""
    # An entry may have several lines.
    found = re.findall(r"^- \*\*Breaking\*\*: (.*?)(?=^- |^#|\Z)", changelog, re.M | re.S)
    entries = [" ".join(entry.split()) for entry in found]
    changes = [change.description for change in find_breaking_changes(released, schema)]
    return [change for change in changes if not any(change in entry for entry in entries)]


def test_what_clients_rely_on_is_there_or_the_changelog_says_that_it_is_not(
    schema: GraphQLSchema,
) -> None:
    released = build_schema(RELEASED.read_text())

    assert unannounced(released, schema, CHANGELOG.read_text()) == []


@pytest.mark.parametrize(
    ("now", "was", "change"),
    [
        ("", "extend type PublicUser { age: Int }", "Field PublicUser.age was removed."),
        ("", "extend input PostInput { tag: String }", "Field PostInput.tag was removed."),
        ("", "extend enum ErrorCode { TEAPOT }", "Enum value ErrorCode.TEAPOT was removed."),
        ("", "type Comment { text: String }", "Comment was removed."),
        ("imageFile: String\n", "imageFile: String!\n", "User.imageFile changed type"),
        ("title: String!\n", "title: String\n", "PostInput.title changed type"),
    ],
)
def test_a_breaking_change_is_found_unless_it_is_announced(
    schema: GraphQLSchema, now: str, was: str, change: str
) -> None:
    text = RELEASED.read_text()
    released = build_schema(text.replace(now, was) if now else text + was)
    found = unannounced(released, schema, "")

    assert any(change in text for text in found)
    announced = "\n".join(f"- **Breaking**: {text}\n  Use something else." for text in found)
    assert unannounced(released, schema, announced) == []


def test_every_code_of_the_domain_is_published(schema: GraphQLSchema) -> None:
    published = schema.type_map["ErrorCode"]

    assert isinstance(published, GraphQLEnumType)
    assert list(published.values) == [code.name for code in ErrorCode]


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
    assert ("<html" in page.text) is tools_are_on


async def test_the_rest_routes_are_documented(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    page = await client.get("/docs")

    assert sorted(document["paths"]) == [
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/webauthn",
        "/health/live",
        "/health/ready",
        "/introspect",
        "/me/picture",
        "/pictures/{id}-{size}.webp",
        "/revoke",
        "/token",
        "/userinfo",
    ]
    schemes = document["components"]["securitySchemes"]
    assert schemes["OAuth2PasswordBearer"]["flows"]["password"]["tokenUrl"] == "token"
    assert len(schemes) == 2  # the other is the credential for introspection
    assert page.status_code == 200
