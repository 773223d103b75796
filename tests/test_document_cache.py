"""The cache of parsed documents, and its bounds."""

import pytest
from graphql import build_schema
from graphql.execution.values import VariableValues

from graphql_schema.engine.documents import Documents
from graphql_schema.engine.limits import Limits
from graphql_schema.engine.new_documents import NewDocuments
from graphql_schema.engine.plans import Plan
from graphql_schema.engine.validation import MAX_CHARACTERS
from tests.documents import PREPARATION
from tests.users import GraphQL, RegisteredUser

pytestmark = pytest.mark.any_database

LIMITS = Limits(depth=10, aliases=10, tokens=1000, cost=1000)


def empty_cache() -> Documents:
    return Documents(build_schema("type Query { a: Int }"), LIMITS, NewDocuments(1))


@pytest.mark.parametrize(
    ("length", "number"),
    [(0, 1_024), (16_000, 14)],  # 64 MiB, at 64 KiB for the shortest and 280 bytes for a character
)
def test_the_oldest_is_forgotten_when_there_are_too_many_or_too_long(
    length: int, number: int
) -> None:
    documents = empty_cache()
    read = [
        documents.read(f"query Q{n} {{ a }}".ljust(length), PREPARATION) for n in range(number + 1)
    ]
    for document in read:
        assert documents.check(document, document.operation(None), {}, PREPARATION) == []

    assert documents.read(read[0].text, PREPARATION) is not read[0]
    assert all(documents.read(document.text, PREPARATION) is document for document in read[1:])


@pytest.mark.parametrize(
    ("length", "is_refused"), [(MAX_CHARACTERS, False), (MAX_CHARACTERS + 1, True)]
)
async def test_what_is_too_long_is_not_even_parsed(
    graphql: GraphQL, length: int, is_refused: bool
) -> None:
    answer = await graphql("{ __typename }".ljust(length))

    assert ("QUERY_TOO_COSTLY" in str(answer)) is is_refused


@pytest.mark.parametrize(("length", "number"), [(0, 1_024), (16_000, 14)])
def test_a_plan_is_forgotten_like_its_document_though_it_has_no_fields(
    length: int, number: int
) -> None:
    documents = empty_cache()

    def plan(n: int) -> Plan:
        document = documents.read(f"query Q{n} {{ a @skip(if: true) }}".ljust(length), PREPARATION)
        return documents.plan(
            document, document.operation(None), VariableValues({}, {}), PREPARATION
        )

    plans = [plan(n) for n in range(number + 1)]

    assert plan(number) is plans[number]
    assert plan(0) is not plans[0]


async def test_the_same_document_serves_everyone_and_tells_nobody_of_another(
    graphql: GraphQL, ada: RegisteredUser, grace: RegisteredUser
) -> None:
    document = "query Me($name: Boolean!) { me { id username @include(if: $name) } }"
    answers = [
        await graphql(document, by=user, name=name)
        for user in (ada, grace)
        for name in (True, False)
    ]

    assert [answer.data["me"] for answer in answers] == [
        {"id": ada.id, "username": "Ada"},
        {"id": ada.id},
        {"id": grace.id, "username": "Grace"},
        {"id": grace.id},
    ]


async def test_of_a_remembered_document_each_operation_is_judged_for_itself(
    graphql: GraphQL,
) -> None:
    both = """
      query Small { posts(first: 1) { edges { node { id } } } }
      query Large { posts(first: 100) { edges { node { author { posts(first: 100) { edges { cursor } } } } } } }
    """

    async def codes_of(name: str) -> list[str]:
        response = await graphql.client.post(
            "/graphql", json={"query": both, "operationName": name}
        )
        return [error["extensions"]["code"] for error in response.json().get("errors", [])]

    assert await codes_of("Small") == []
    assert await codes_of("Large") == ["QUERY_TOO_COSTLY"]
    assert await codes_of("Small") == []
