"""The limits on a document, which are checked in very little time."""

import time
from typing import Any

import httpx
import pytest
from graphql import (
    get_introspection_query,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
)

from graphql_schema.engine.costs import metadata_of
from graphql_schema.engine.limits import UNLIMITED
from graphql_schema.schema import Schema
from settings import Settings
from tests.conftest import settings_for
from tests.operations import CREATE_POST, SECURITY_EVENTS
from tests.users import GraphQL, RegisteredUser

pytestmark = pytest.mark.any_database

LOGIN_FIELD = 'login(username: "Nobody", password: "difference engine") { expiresIn }'


def doubling(levels: int) -> str:
    """Return a document of fragments that each spread the next one twice."""
    fragments = [f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels)]
    return " ".join([*fragments, f"fragment f{levels} on Query {{ __typename }}", "{ ...f0 }"])


TOO_COSTLY, INVALID = "QUERY_TOO_COSTLY", "GRAPHQL_VALIDATION_FAILED"

BOMBS = {
    "doubling fragments": (TOO_COSTLY, doubling(30)),
    "repeated fields": (TOO_COSTLY, "{" + " __typename" * 20_000 + "}"),
    "repeated objects": (TOO_COSTLY, "{" + " me { id }" * 120 + "}"),
    "inline fragments": (TOO_COSTLY, "{" + "...{me{id id}}" * 60 + "}"),
    "aliases": (TOO_COSTLY, "{" + " ".join(f"a{n}:x" for n in range(70_000)) + "}"),
    "depth": (TOO_COSTLY, "{ posts { edges { node { author " * 5_000 + "{ id }" + "}" * 20_000),
    "lists in lists": (
        TOO_COSTLY,
        "{ posts(first: 100) { edges { node { author {"
        " posts(first: 100) { edges { node { id } } } } } } } }",
    ),
    "pages by many cursors": (
        TOO_COSTLY,
        "{ posts(first: 50) { edges { node { author {"
        + " ".join(f'a{n}: posts(first: 1, after: "{n:022}") {{ __typename }}' for n in range(46))
        + "} } } } }",
    ),
    "long texts": (
        TOO_COSTLY,
        "{ posts(first: 100) { edges { node {"
        + " ".join(f"c{n}: content" for n in range(46))
        + "} } } }",
    ),
    "introspection": (
        TOO_COSTLY,
        "{ __schema { types { ...F } } } fragment F on __Type {"
        + " ".join(f"a{n}: fields {{ ...G }}" for n in range(20))
        + "} fragment G on __Field {"
        + " ".join(f"b{n}: name" for n in range(20))
        + "}",
    ),
    "depth of introspection": (
        TOO_COSTLY,
        "{ __schema { queryType {" + "ofType {" * 195 + "name" + "}" * 195 + "} } }",
    ),
    "rows without fields": (
        TOO_COSTLY,
        "{" + " ".join(f"p{n}: posts(first: 100) {{ __typename }}" for n in range(40)) + "}",
    ),
    "hashes": (TOO_COSTLY, "mutation {" + "".join(f" a{n}: {LOGIN_FIELD}" for n in range(6)) + "}"),
    "hashes in fragments": (
        TOO_COSTLY,
        "mutation { ...a ...b } fragment a on Mutation { ...b ...b ...b }"
        f" fragment b on Mutation {{ {LOGIN_FIELD} {LOGIN_FIELD} }}",
    ),
    "fragments in circles": (
        INVALID,
        "{ ...a } fragment a on Query { ...b ...b } fragment b on Query { ...a ...a }",
    ),
    "undefined fragments": (INVALID, "{" + " ...a" * 245 + "}"),
    "errors": (INVALID, "{" + " ".join(f"n{n}" for n in range(490)) + "}"),
}


async def test_a_document_built_to_blow_up_is_refused_at_once(client: httpx.AsyncClient) -> None:
    slow = {}
    for name, (code, document) in BOMBS.items():
        # The best of three, so that other load on the machine does not count.
        seconds = []
        for _ in range(3):
            start = time.thread_time()
            response = await client.post("/graphql", json={"query": document})
            seconds.append(time.thread_time() - start)
        if min(seconds) > 0.1:
            slow[name] = min(seconds)

        errors = response.json()["errors"]
        assert {error["extensions"]["code"] for error in errors} == {code}, name
        assert "data" not in response.json()

    assert slow == {}


async def test_the_error_names_what_was_too_much_and_what_may_be(graphql: GraphQL) -> None:
    deep = await graphql(
        "{ posts { edges { node { author { posts { edges { node { author { posts { edges { node { author { id } } } } } } } } } } } } }"
    )
    aliased = await graphql("{" + " ".join(f"a{n}: __typename" for n in range(51)) + "}")
    costly = await graphql(BOMBS["lists in lists"][1])

    assert deep.code == aliased.code == costly.code == "QUERY_TOO_COSTLY"
    assert deep.error["message"] == "The document has 13 levels of fields; the limit is 12."
    assert aliased.error["message"] == "The document has 51 aliases; the limit is 50."
    assert "the limit is 5000" in costly.error["message"]


async def test_the_introspection_of_graphiql_passes(graphql: GraphQL) -> None:
    options = {
        "descriptions": True,
        "specified_by_url": True,
        "directive_is_repeatable": True,
        "schema_description": True,
        "input_value_deprecation": True,
    }
    answer = await graphql(get_introspection_query(**options))

    assert answer.errors == []


@pytest.mark.parametrize(
    "fields",
    [
        "{0} a: {0} b: {0} c: {0} d: {0}",
        "...f a: {0} b: {0} c: {0}",
        "... on Mutation {{ {0} a: {0} }} ...f ...g",
    ],
)
async def test_a_document_carries_a_handful_of_hashes_and_no_more(
    graphql: GraphQL, fields: str
) -> None:
    fragments = f" fragment f on Mutation {{ x: {LOGIN_FIELD} y: {LOGIN_FIELD} }} fragment g on Mutation {{ z: {LOGIN_FIELD} }}"
    too_many = await graphql("mutation { " + fields.format(LOGIN_FIELD) + " }" + fragments)
    few = await graphql(
        f"mutation {{ {LOGIN_FIELD} a: {LOGIN_FIELD} b: {LOGIN_FIELD} c: {LOGIN_FIELD} }}"
    )

    assert too_many.code == "QUERY_TOO_COSTLY"
    assert {error["extensions"]["code"] for error in few.errors} == {"INVALID_CREDENTIALS"}


@pytest.mark.parametrize(
    "field",
    [
        LOGIN_FIELD,
        'register(input: { username: "", email: "", password: "" }) { expiresIn }',
        'changePassword(currentPassword: "", newPassword: "") { expiresIn }',
        'updateMe(input: { email: "", currentPassword: "" }) { id }',
    ],
)
async def test_whatever_hashes_weighs_as_much(graphql: GraphQL, field: str) -> None:
    answer = await graphql("mutation {" + "".join(f" a{n}: {field}" for n in range(5)) + "}")

    assert answer.code == "QUERY_TOO_COSTLY"


@pytest.mark.parametrize(
    "document",
    [
        # aliases below the top
        "{ posts { edges { node {" + " ".join(f"a{n}: id" for n in range(51)) + "} } } }",
        # lists behind the condition of a fragment
        "{ user(id: 1) { ... on User { ... on PublicUser { posts(first: 100) { edges { node {"
        " author { posts(first: 100) { edges { cursor } } } } } } } } } }",
    ],
)
async def test_nothing_hides_from_being_measured(graphql: GraphQL, document: str) -> None:
    assert (await graphql(document)).code == "QUERY_TOO_COSTLY"


PAGES = """
query Pages($outer: Int!, $inner: Int = 100) {
  posts(first: $outer) { edges { node { author { posts(first: $inner) { edges { node { id } } } } } } }
}
"""


async def test_lists_weigh_by_the_page_size_that_is_really_asked_for(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    # The document is cached after the first request. The cost still depends on the variables.
    small = await graphql(PAGES, outer=5, inner=5)
    large = await graphql(PAGES, outer=100, inner=100)
    by_default = await graphql(PAGES, outer=100)
    again = await graphql(PAGES, outer=5, inner=5)

    assert small.errors == again.errors == []
    assert large.code == by_default.code == "QUERY_TOO_COSTLY"


@pytest.mark.parametrize("size", [-1, 0, 2**31 - 1, 100.0, 1e300, True, None, "5"])
async def test_a_size_of_any_other_kind_costs_what_the_largest_page_does(
    graphql: GraphQL, size: object
) -> None:
    cached = await graphql(PAGES, outer=1, inner=1)
    answer = await graphql(PAGES, outer=100, inner=size)

    assert cached.errors == []
    assert answer.code == "QUERY_TOO_COSTLY"


async def test_a_list_is_no_size(graphql: GraphQL) -> None:
    answer = await graphql(PAGES, outer=1, inner=[5])

    assert answer.code == "GRAPHQL_VALIDATION_FAILED"


async def test_a_default_counts_where_no_size_is_given(graphql: GraphQL) -> None:
    of_operation = await graphql(PAGES.replace("$inner: Int = 100", "$inner: Int = 5"), outer=10)
    of_schema = await graphql(PAGES.replace("$inner: Int = 100", "$inner: Int"), outer=10)

    assert of_operation.errors == of_schema.errors == []


async def test_a_size_without_end_is_no_fault_of_ours(graphql: GraphQL) -> None:
    digits = "9" * 4_400
    literal = await graphql(f"{{ posts(first: {digits}) {{ edges {{ cursor }} }} }}")
    default = await graphql(
        f"query ($n: Int = {digits}) {{ posts(first: $n) {{ edges {{ cursor }} }} }}"
    )

    assert literal.code == default.code == "GRAPHQL_VALIDATION_FAILED"


@pytest.mark.parametrize(
    ("few", "many", "field"),
    [
        (1, 45, "__schema { types { fields { type { fields { name } } } } }"),
        (1, 45, '__type(name: "Query") { fields { args { type { fields { name } } } } }'),
        (2, 45, "me { sessions { id } }"),
        (1, 4, "me { sessions { id method device ip createdAt lastUsedAt expiresAt } }"),
    ],
)
async def test_lists_without_a_page_size_count_what_they_hold(
    graphql: GraphQL, ada: RegisteredUser, few: int, many: int, field: str
) -> None:
    def aliased(times: int) -> str:
        return "{" + " ".join(f"a{n}: {field}" for n in range(times)) + "}"

    assert (await graphql(aliased(few), by=ada)).errors == []
    assert (await graphql(aliased(many), by=ada)).code == "QUERY_TOO_COSTLY"


def test_every_list_of_the_schema_has_a_page_size_or_counts_its_entries() -> None:
    schema = Schema(UNLIMITED)._schema
    uncounted = [
        f"{type}.{name}"
        for type in schema.type_map.values()
        for name, field in getattr(type, "fields", {}).items()
        if is_list_type(get_nullable_type(field.type))
        and not type.name.startswith("__")
        and not type.name.endswith("Connection")
        and not is_input_object_type(type)
        and "first" not in field.args
        and not metadata_of(field).get("entries")
    ]

    assert uncounted == []


KIND = "SecurityEventKind"


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (SECURITY_EVENTS, {"kinds": ["LOGGED_IN"] * 10_000}),
        (SECURITY_EVENTS, {"kinds": ["NOTHING"] * 10_000}),
        (SECURITY_EVENTS, {"kinds": [[["LOGGED_IN"] * 20] * 20] * 20}),
        (CREATE_POST, {"input": {f"a{n}": n for n in range(2_000)}}),
        (CREATE_POST, {"input": {"title": [{}] * 2_000, "content": "x"}}),
        ("{ __typename }", {f"a{n}": n for n in range(2_000)}),
        # within the limit of one request, but not for every alias
        (
            f"query ($kinds: [{KIND}!]) {{ me {{"
            + "".join(
                f" a{n}: securityEvents(first: 1, kinds: $kinds) {{ __typename }}"
                for n in range(40)
            )
            + "} }",
            {"kinds": ["LOGGED_IN"] * 900},
        ),
        # literals, which a page multiplies
        (
            "{ posts(first: 100) { edges { node { author { posts(first: 1, after: ["
            + "1 " * 40
            + "]) { __typename } } } } } }",
            {},
        ),
    ],
)
async def test_values_are_counted_wherever_they_are(
    graphql: GraphQL,
    ada: RegisteredUser,
    document: str,
    variables: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    started = time.thread_time()
    answer = await graphql(document, by=ada, **variables)

    assert answer.code == "QUERY_TOO_COSTLY"
    assert time.thread_time() - started < 0.25
    assert "not available" not in caplog.text


async def test_an_enum_that_is_repeated_counts_once(graphql: GraphQL, ada: RegisteredUser) -> None:
    answer = await graphql(SECURITY_EVENTS, by=ada, first=5, kinds=["REGISTERED"] * 900)

    assert [edge["node"]["kind"] for edge in answer.data["me"]["securityEvents"]["edges"]] == [
        "REGISTERED"
    ]


LONG = "x" * 500_000


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (SECURITY_EVENTS, {"kinds": [LONG]}),
        (SECURITY_EVENTS, {"kinds": LONG}),
        (CREATE_POST, {"input": {LONG: 1}}),
        (CREATE_POST, {"input": {"title": "x", "content": "x", **{LONG[n:]: n for n in range(2)}}}),
        ("query ($n: Int) { posts(first: $n) { edges { cursor } } }", {"n": LONG}),
        ("query ($n: Boolean = true) { me { id @skip(if: $n) } }", {"n": LONG}),
    ],
)
async def test_a_long_value_of_a_variable_is_not_searched_for(
    graphql: GraphQL, document: str, variables: dict[str, Any]
) -> None:
    seconds = []
    for _ in range(3):
        started = time.thread_time()
        answer = await graphql(document, **variables)
        seconds.append(time.thread_time() - started)

    assert answer.code == "GRAPHQL_VALIDATION_FAILED"
    assert len(answer.error["message"]) <= 500
    assert min(seconds) < 0.05


async def test_errors_of_variables_stop_after_a_few(graphql: GraphQL) -> None:
    answer = await graphql(SECURITY_EVENTS, kinds=[1] * 60)

    assert len(answer.errors) == 6
    assert {error["extensions"]["code"] for error in answer.errors} == {INVALID}


class TestSettings:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return settings_for(
            database_url,
            max_query_depth=2,
            max_query_aliases=1,
            max_query_tokens=30,
            max_query_cost=10,
        )

    @pytest.mark.parametrize(
        ("within", "beyond"),
        [
            ("{ me { id } }", "{ posts { edges { cursor } } }"),
            ("{ a: __typename }", "{ a: __typename b: __typename }"),
            ("{" + " __typename" * 10 + "}", "{" + " __typename" * 11 + "}"),
            (
                "{ __typename" + " @skip(if: true)" * 3 + " }",
                "{ __typename" + " @skip(if: true)" * 6 + " }",
            ),
        ],
    )
    async def test_every_limit_can_be_set(self, graphql: GraphQL, within: str, beyond: str) -> None:
        assert "QUERY_TOO_COSTLY" not in str(await graphql(within))
        assert "QUERY_TOO_COSTLY" in str(await graphql(beyond))
