"""Execution by a plan gives the same result as Strawberry's execution, which is graphql-core's."""

import json
from random import Random
from typing import Any

import pytest
from graphql import OperationType, get_introspection_query
from strawberry.extensions import SchemaExtension

from domain.accounts.current_user import CurrentUserLoader
from domain.devices import Device
from domain.services import Services
from domain.subscriptions import Subscriptions
from graphql_schema.context import Context
from graphql_schema.engine.limits import Limits
from graphql_schema.response_size import ResponsesUnderWay
from graphql_schema.schema import REQUEST_ERRORS, Schema
from tests.admins import grant
from tests.federation import ENTITIES, representation
from tests.operations import CREATE_POST
from tests.random_documents import DocumentGenerator
from tests.users import GraphQL, RegisteredUser

pytestmark = pytest.mark.any_database

HIGH_LIMITS = Limits(depth=20, aliases=1_000, tokens=5_000, cost=1_000_000)

SEEDS = 150

BY_PLAN = Schema(HIGH_LIMITS)
BY_STRAWBERRY = Schema(HIGH_LIMITS, extensions=[SchemaExtension])


async def answer(
    schema: Schema,
    services: Services,
    document: str,
    *,
    by: RegisteredUser | None = None,
    variables: dict[str, object] | None = None,
    operation_name: str | None = None,
) -> str:
    """Return the response as JSON.

    Errors are sorted, because fields that read the database fail in any order.
    """
    current_users = CurrentUserLoader(services.database)
    context = Context(
        responses=ResponsesUnderWay(),
        services=services,
        current_users=current_users,
        subscriptions=Subscriptions(services.database),
        device=Device.of("127.0.0.1"),
        bearer=by.token if by else None,
        request_id="1",
    )
    try:
        result = await schema.execute(document, variables, context, operation_name=operation_name)
    except REQUEST_ERRORS as error:
        return repr(error)
    finally:
        await current_users.close()
    errors = sorted((error.formatted for error in result.errors or ()), key=str)
    return json.dumps([type(result).__name__, result.data, errors], indent=1)


async def answers(*arguments: Any, **options: Any) -> tuple[str, str]:
    return (
        await answer(BY_PLAN, *arguments, **options),
        await answer(BY_STRAWBERRY, *arguments, **options),
    )


@pytest.fixture
async def values(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> dict[str, list[str]]:
    """Return literals for arguments, valid and invalid."""
    posts = []
    for author in (ada, grace, ada):
        post = {"title": "Of the engine", "content": "It weaves."}
        posts.append((await graphql(CREATE_POST, by=author, input=post)).data["createPost"]["id"])
    ids = [f'"{id}"' for id in (ada.id, grace.id, *posts)]
    return {
        "ID": [*ids, '"nonsense"', "5"],
        "String": ['"User"', '""', '"x"'],
        "Int": ["1", "2", "0", "101", "null"],
        "Boolean": ["true", "false"],
        "PictureSize": ["SMALL", "LARGE", "null"],
        "Role": ["ADMIN", "SUPPORT", "null", "NONSENSE"],
        "CorrectionInput": ["{}", '{ username: "" }', '{ email: "x", emailVerified: true }'],
        "SecurityEventKind": ["[LOGGED_IN]", "REGISTERED", "null", "[]"],
        "after": ["null", '"nonsense"', '"0"'],
        "author": [*ids, "null"],
        "PasskeyAnswer": ['{ ticket: "x", credential: { id: ["x", null, 1.5, X] } }'],
        "PostInput": ['{ title: "", content: "x" }', '{ content: "x", title: "a\\nb" }'],
        "RegisterInput": ['{ username: "", email: "", password: "" }'],
        "ReauthenticateInput": ['{ password: "" }', '{ code: "x" }'],
        "StartRegistrationInput": ['{ username: "", email: "" }'],
        "UpdateMeInput": ["{}", "{ imageFile: null }", '{ email: "x", currentPassword: "y" }'],
    }


async def test_whatever_is_asked_the_answer_is_the_same(
    services: Services, ada: RegisteredUser, values: dict[str, list[str]]
) -> None:
    # Of two fields that are refused after a look-up, either error may come first.
    await grant(services, ada)
    succeeded = 0
    for seed in range(SEEDS):
        random = Random(seed)
        kind = OperationType.MUTATION if seed % 4 == 0 else OperationType.QUERY
        generator = DocumentGenerator(BY_PLAN._schema, random, values)
        document = generator.generate(kind, depth=4)
        if "startPasskeySignIn" in document:
            continue  # each answer is another one
        # Mutations without a token change nothing, so that both executions see the same data.
        by = ada if kind is OperationType.QUERY and seed % 8 else None
        planned, executed = await answers(
            services, document, by=by, variables=generator.variables()
        )

        assert planned == executed, document
        succeeded += "PreExecutionError" not in planned

    assert succeeded > 0.8 * SEEDS


INTROSPECTION = """
{
  __schema { ...Schema }
  a: __type(name: "User") { ...Type possibleTypes { name } interfaces { name } }
  b: __type(name: "Nothing") { name }
}
fragment Schema on __Schema { types { ...Type } directives { name locations args { ...Input } } }
fragment Type on __Type {
  __typename kind name inputFields { ...Input }
  fields(includeDeprecated: true) { name isDeprecated type { kind ofType { kind ofType { name } } } args { ...Input } }
  enumValues { name deprecationReason }
}
fragment Input on __InputValue { name defaultValue type { name } }
"""

TWO = "query A { __typename } query B { me { id } } mutation C { logout }"
SIZES = "query ($first: Int!, $after: String = null, $author: ID) { posts(first: $first, after: $after, author: $author) { edges { cursor } } }"
MAYBE = "query ($when: Boolean = true) { __typename me { id username @include(if: $when) } }"
KINDS = "query ($kinds: [SecurityEventKind!]) { me { securityEvents(kinds: $kinds) { edges { node { kind } } } } }"

INVALID_POSTS: list[object] = [
    None,
    {},
    [],
    "x",
    {"title": "a"},
    {"title": "", "content": "", "x": 1},
]


@pytest.mark.parametrize(
    ("document", "options"),
    [
        (INTROSPECTION, {}),
        (get_introspection_query(), {}),
        ("{ __type { name } }", {}),
        *((TWO, {"operation_name": name}) for name in (None, "", "A", "B", "C", "D")),
        ("{ __typename }", {"operation_name": "A"}),
        ("{ __typename }", {"operation_name": ""}),
        ("fragment F on Query { me { id } }", {}),
        ("subscription { me { id } }", {}),
        ("", {}),
        ("{", {}),
        ("{ me }", {}),
        ("{ __typename } #" + "x" * 20_000, {}),
        ("query ($x: Nothing) { me { id } }", {}),
        *(
            (SIZES, {"variables": variables})
            for variables in (
                None,
                {},
                {"first": None},
                {"first": "1"},
                {"first": 1.0},
                {"first": 1.5},
                {"first": True},
                {"first": 2**40},
                {"first": 2, "after": None, "author": None},
                {"first": 2, "after": 5},
                {"first": 2, "after": ["x"], "author": {"a": 1}},
                {"first": 2, "unknown": 1},
                {"first": [2]},
            )
        ),
        *((MAYBE, {"variables": {"when": when}}) for when in (True, False, None, "yes", 1)),
        (MAYBE, {}),
        *(
            (KINDS, {"variables": {"kinds": kinds}})
            for kinds in (None, [], "LOGGED_IN", ["LOGGED_IN"], ["NOTHING"], [None], [1] * 5)
        ),
        *((CREATE_POST, {"variables": {"input": post}}) for post in INVALID_POSTS),
        ("{ posts(first: 0) { edges { cursor } } me { sessions { id } } }", {}),
        ("{ me { id } a: posts(first: 0) { edges { cursor } } b: user(id: 5) { id } }", {}),
        ("{ me { ...F } me { ...F ... on User { id } } } fragment F on User { username id }", {}),
        ("{ ...F } fragment F on Query { ...F }", {}),
        ("{ me { id @skip(if: null) } }", {}),
        ("query ($a: Boolean) { me { id @skip(if: $a) } }", {}),
        ("mutation { a: logout b: deletePost(id: 5) c: __typename }", {}),
        ("mutation { a: __typename b: logoutEverywhere { x } }", {}),
    ],
)
async def test_what_is_odd_is_answered_the_same(
    services: Services, ada: RegisteredUser, document: str, options: dict[str, Any]
) -> None:
    planned, executed = await answers(services, document, **options)
    by_ada = "mutation" in document or await answers(services, document, by=ada, **options)

    assert planned == executed
    assert by_ada is True or by_ada[0] == by_ada[1]


@pytest.mark.parametrize("kind", ["query", "mutation"])
@pytest.mark.parametrize(
    "condition", ["__typename @skip(if: $if)", "... @include(if: $if) { a: __typename }"]
)
async def test_a_condition_that_is_null_at_the_root_is_answered_the_same(
    services: Services, kind: str, condition: str
) -> None:
    document = f"{kind} ($if: Boolean = true) {{ b: __typename {condition} }}"
    planned, executed = await answers(services, document, variables={"if": None})

    # The classes differ. A response shows only what follows.
    assert json.loads(planned)[1:] == json.loads(executed)[1:]


@pytest.mark.parametrize("condition", ["skip", "include"])
async def test_a_condition_that_is_null_is_refused_before_anything_runs(
    services: Services, condition: str
) -> None:
    """Strawberry finds it too late: the mutation takes effect, and is reported as failed."""
    document = f"mutation ($if: Boolean = true) {{ logout __typename @{condition}(if: $if) }}"
    response = await answer(BY_PLAN, services, document, variables={"if": None})

    kind, data, [error] = json.loads(response)
    assert (kind, data) == ("PreExecutionError", None)
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}


async def test_the_entities_of_a_subgraph_are_the_same(
    services: Services, ada: RegisteredUser
) -> None:
    sent = [representation("PublicUser", ada.id), representation("Token", ada.id), 5]
    planned, executed = [
        await answer(schema, services, ENTITIES, variables={"representations": sent})
        for schema in (
            Schema(HIGH_LIMITS, federation=True),
            Schema(HIGH_LIMITS, federation=True, extensions=[SchemaExtension]),
        )
    ]

    assert planned == executed
    assert ada.username in planned
