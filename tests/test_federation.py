"""The schema as a subgraph of Apollo Federation."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from settings import Settings
from tests.commands import run
from tests.conftest import client_of, settings_for, unprepared_app
from tests.federation import ENTITIES, representation
from tests.operations import DELETE_ME
from tests.posts import publish
from tests.statements import statements
from tests.users import UNKNOWN_ID, Answer, GraphQL, RegisteredUser

DIRECTIVES = [
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])',
    "type PageInfo @shareable {",
    'type Post @key(fields: "id") {',
    'type PublicUser implements User @key(fields: "id") {',
]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
TYPES = ["PublicUser", "Post", "PrivateUser", "Account", "Token", "User", "Query", "_Service", ""]
REPRESENTATIONS = st.builds(
    lambda others, type_name, id: others | {"__typename": type_name, "id": id},
    st.dictionaries(st.text(max_size=9), JSON, max_size=2),
    st.sampled_from(TYPES) | JSON,
    st.sampled_from(["an id of Ada's", "an id of a post", "ada", UNKNOWN_ID]) | JSON,
)


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, federation=True)


@pytest.fixture
async def post(graphql: GraphQL, ada: RegisteredUser) -> dict[str, Any]:
    return await publish(graphql, ada)


@pytest.fixture
async def without_introspection(database_url: str) -> AsyncIterator[GraphQL]:
    settings = settings_for(database_url, federation=True, introspection=False)
    async with unprepared_app(settings) as app, client_of(app) as client:
        yield GraphQL(client)


async def test_entities_are_in_the_order_of_their_representations(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, post: dict[str, Any]
) -> None:
    of_grace, of_ada = (representation("PublicUser", user.id) for user in (grace, ada))
    answer = await graphql(
        ENTITIES, representations=[of_grace, representation("Post", post["id"]), of_ada, of_grace]
    )

    names = [entity.get("title") or entity["username"] for entity in answer.data["_entities"]]
    assert names == ["Grace", "Notes", "Ada", "Grace"]


async def test_users_and_posts_are_read_by_one_statement_each(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser, post: dict[str, Any]
) -> None:
    users = [representation("PublicUser", user.id) for user in (ada, grace)] * 10
    posts = [representation("Post", id) for id in (post["id"], UNKNOWN_ID)] * 10
    with statements() as seen:
        answer = await graphql(ENTITIES, representations=users + posts)

    assert len([entity for entity in answer.data["_entities"] if entity]) == 30
    assert len(seen) == 2


@pytest.mark.parametrize(
    "malformed",
    [
        {},
        [],
        "PublicUser",
        5,
        {"__typename": "PublicUser"},
        {"__typename": "PublicUser", "username": "Ada"},
        {"__typename": ["PublicUser"], "id": UNKNOWN_ID},
        representation("PublicUser", 5),
        representation("PublicUser", [UNKNOWN_ID]),
        representation("PublicUser", "\ud800"),
        representation("Post", "\0" * 36),
    ],
    ids=str,
)
async def test_a_malformed_representation_is_null_and_leaves_the_others(
    graphql: GraphQL, ada: RegisteredUser, malformed: object
) -> None:
    of_ada = representation("PublicUser", ada.id)
    answer = await graphql(ENTITIES, representations=[malformed, of_ada])

    assert answer.errors == []
    assert [entity and entity["id"] for entity in answer.data["_entities"]] == [None, ada.id]


@pytest.mark.parametrize("type_name", ["PrivateUser", "Account", "User", "Session", "Token"])
async def test_what_is_private_is_no_entity(
    graphql: GraphQL, ada: RegisteredUser, type_name: str
) -> None:
    of_ada = representation(type_name, ada.id)
    answer = await graphql(ENTITIES, by=ada, representations=[of_ada])

    assert answer.data == {"_entities": [None]}


async def test_what_a_client_sends_besides_the_key_is_not_returned(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    forged = representation("PublicUser", ada.id) | {"username": "Eve", "info": 1, "self": 1}
    answer = await graphql(ENTITIES, representations=[forged])

    assert answer.data["_entities"][0]["username"] == "Ada"


async def test_the_posts_of_a_deleted_user_are_no_entities(
    graphql: GraphQL, ada: RegisteredUser, post: dict[str, Any]
) -> None:
    deleted = await graphql(DELETE_ME, by=ada, password=ada.password)
    assert deleted.errors == []
    answer = await graphql(
        ENTITIES,
        representations=[representation("PublicUser", ada.id), representation("Post", post["id"])],
    )

    assert answer.data == {"_entities": [None, None]}


@pytest.mark.any_database
async def test_a_variable_inside_a_literal_representation_is_its_value(
    graphql: GraphQL, ada: RegisteredUser
) -> None:
    answer = await graphql(
        "query ($id: ID!) { _entities(representations: [{__typename: PublicUser, id: $id},"
        ' {__typename: "PublicUser", id: $id}]) { ... on PublicUser { username } } }',
        id=ada.id,
    )

    assert answer.data["_entities"][1] == {"username": "Ada"}


@pytest.mark.any_database
async def test_over_a_hundred_representations_are_refused(graphql: GraphQL) -> None:
    unknown = representation("PublicUser", UNKNOWN_ID)
    most = await graphql(ENTITIES, representations=[unknown] * 100)
    more = await graphql(ENTITIES, representations=[unknown] * 101)

    assert most.data == {"_entities": [None] * 100}
    assert more.code == "INVALID_INPUT"
    assert more.fields.keys() == {"representations"}


@pytest.mark.any_database
@pytest.mark.parametrize("kind", ["a variable", "a default", "a literal"])
async def test_each_representation_counts_as_an_entry_of_a_list(
    graphql: GraphQL, kind: str
) -> None:
    few = await with_pages_of(graphql, 15, kind)
    many = await with_pages_of(graphql, 25, kind)

    assert few.data == {"_entities": [None] * 15}
    assert many.code == "QUERY_TOO_COSTLY"


async def with_pages_of(graphql: GraphQL, count: int, kind: str) -> Answer:
    """Ask for the posts of as many users, whose representations are in a value of this kind."""
    entities = (
        "{{ _entities(representations: {}) {{ ... on PublicUser {{ posts {{ __typename }} }} }} }}"
    )
    literal = "[" + '{__typename: "PublicUser", id: "x"} ' * count + "]"
    if kind == "a literal":
        return await graphql(entities.format(literal))
    if kind == "a default":
        return await graphql(f"query ($r: [_Any!]! = {literal}) {entities.format('$r')}")
    users = [representation("PublicUser", "x")] * count
    return await graphql(f"query ($r: [_Any!]!) {entities.format('$r')}", r=users)


@pytest.mark.any_database
@pytest.mark.parametrize("value", [[[]] * 1_000, {"a": [0] * 1_000}], ids=["lists", "an object"])
async def test_a_representation_with_too_many_values_is_refused(
    graphql: GraphQL, value: object
) -> None:
    answer = await graphql(ENTITIES, representations=[value])

    assert answer.code == "QUERY_TOO_COSTLY"


@pytest.mark.any_database
async def test_a_representation_that_is_nested_deeply_is_null(graphql: GraphQL) -> None:
    nested: object = []
    for _ in range(900):
        nested = [nested]
    answer = await graphql(ENTITIES, representations=[nested])

    assert answer.data == {"_entities": [None]}


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(sent=st.lists(REPRESENTATIONS | JSON.filter(lambda one: one is not None), max_size=8))
async def test_any_representation_is_what_it_names_or_null(
    client: httpx.AsyncClient, ada: RegisteredUser, post: dict[str, Any], sent: list[Any]
) -> None:
    ids = {"an id of Ada's": ada.id, "an id of a post": post["id"]}
    sent = [with_id(ids, one) for one in sent]
    response = await client.post(
        "/graphql", json={"query": ENTITIES, "variables": {"representations": sent}}
    )

    assert response.status_code == 200
    named = [("PublicUser", ada.id), ("Post", post["id"])]
    assert [
        entity and (entity["__typename"], entity["id"])
        for entity in response.json()["data"]["_entities"]
    ] == [key if (key := key_of(one)) in named else None for one in sent]


def with_id(ids: dict[str, str], one: object) -> object:
    if isinstance(one, dict) and isinstance(one.get("id"), str):
        return one | {"id": ids.get(one["id"], one["id"])}
    return one


def key_of(one: object) -> object:
    return (one.get("__typename"), one.get("id")) if isinstance(one, dict) else None


@pytest.mark.any_database
async def test_the_schema_of_the_subgraph_is_what_the_command_prints(
    graphql: GraphQL, tmp_path: Path
) -> None:
    printed = run(["schema", "--federation"], tmp_path).stdout
    answer = await graphql("{ _service { sdl } }")

    assert answer.data["_service"]["sdl"] + "\n" == printed
    found = [line for line in printed.splitlines() if re.search("@(link|key|shareable)", line)]
    assert found == DIRECTIVES


@pytest.mark.any_database
async def test_the_schema_is_refused_where_introspection_is_off(
    without_introspection: GraphQL,
) -> None:
    answer = await without_introspection("query { ...F } fragment F on Query { _service { sdl } }")

    assert (answer.code, answer.data) == ("GRAPHQL_VALIDATION_FAILED", None)


@pytest.mark.any_database
async def test_entities_are_read_where_introspection_is_off(
    without_introspection: GraphQL,
) -> None:
    answer = await without_introspection(ENTITIES, representations=[])

    assert answer.data == {"_entities": []}


@pytest.mark.any_database
@pytest.mark.parametrize(
    "field", ["_service { sdl }", "_entities(representations: []) { __typename }"]
)
async def test_without_the_setting_there_is_no_subgraph(database_url: str, field: str) -> None:
    settings = settings_for(database_url, introspection=False)
    async with unprepared_app(settings) as app, client_of(app) as client:
        answer = await GraphQL(client)(f"{{ {field} }}")

    assert answer.code == "GRAPHQL_VALIDATION_FAILED"
    assert "Cannot query field" in answer.error["message"]


@pytest.mark.any_database
async def test_what_federation_adds_is_described(graphql: GraphQL) -> None:
    answer = await graphql("{ _service { sdl } }")
    added = build_schema(answer.data["_service"]["sdl"], assume_valid=True)

    assert added.query_type is not None
    assert all(added.type_map[name].description for name in ("_Any", "_Entity", "_Service"))
    assert all(added.query_type.fields[name].description for name in ("_service", "_entities"))
