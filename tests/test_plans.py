"""A plan gives the same result as graphql-core, on a schema with more features than ours."""

import asyncio
import json
from collections.abc import Awaitable
from enum import Enum
from random import Random
from typing import Annotated, Any, TypeVar, cast

import pytest
import strawberry
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import VariableValues, get_variable_values

from graphql_schema.engine.plans import Plan
from tests.random_documents import DocumentGenerator


class Fault(Exception):
    pass


@strawberry.enum
class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@strawberry.input
class Point:
    x: int = 1
    y: int | None = None
    colours: list[Colour] = strawberry.field(default_factory=lambda: [Colour.RED])
    inner: "Point | None" = None


T = TypeVar("T")


def wrong(value: object) -> T:  # type: ignore[type-var]
    """Return a value as if it had the type of the field."""
    return cast(T, value)


async def later(value: T | Fault) -> T:
    await asyncio.sleep(0)
    if isinstance(value, Fault):
        raise value
    return value


@strawberry.interface
class Animal:
    name: str
    nickname: str | None = None

    @strawberry.field
    def itself(self) -> "Animal":
        return self

    @strawberry.field
    async def friend(self) -> "Animal | None":
        return await later(Cat(name="Tom") if self.name == "Rex" else None)


@strawberry.type
class Cat(Animal):
    lives: int = 9

    @strawberry.field
    def purr(self) -> str:
        raise Fault("it does not purr")


@strawberry.type
class Dog(Animal):
    colour: Colour = Colour.BLUE

    @strawberry.field
    async def bark(self) -> str:
        return await later(Fault("it does not bark"))


@strawberry.type
class Rock:
    weight: float = 1.5
    # Values that an Int, an enum and a String cannot have.
    age: int = wrong("old")
    colour: Colour | None = wrong("green")
    title: str = wrong(None)
    subtitle: str | None = wrong(("a",))


@strawberry.type
class Unlisted:
    name: str = "unlisted"


Thing = Annotated[Cat | Dog | Rock, strawberry.union("Thing")]


def rex() -> Dog:
    return Dog(name="Rex")


def tom() -> Cat:
    return Cat(name="Tom", nickname="T")


@strawberry.type
class Query:
    fine: str = "fine"
    nothing: str | None = None
    numbers: list[int | None] = strawberry.field(default_factory=lambda: [1, None, wrong("x")])
    rock: Rock = strawberry.field(default_factory=Rock)

    @strawberry.field
    def animal(self, named: str = "Rex") -> Animal:
        return rex() if named == "Rex" else tom()

    @strawberry.field
    async def animals(self) -> list[Animal]:
        return await later([rex(), tom()])

    @strawberry.field
    def things(self) -> list[Thing | None]:
        return [tom(), None, Rock(), wrong(Fault("no thing")), wrong(Unlisted()), rex()]

    @strawberry.field
    async def required_things(self) -> list[Thing] | None:
        return [tom(), Rock(), wrong(None), wrong(Fault("no thing"))]

    @strawberry.field
    def wrong_animal(self) -> Animal | None:
        return wrong(Unlisted())

    @strawberry.field
    def wrong_cat(self) -> Cat | None:
        return wrong(rex())

    @strawberry.field
    def wrong_cats(self) -> list[Cat | None]:
        return [tom(), wrong(rex()), wrong("Tom")]

    @strawberry.field
    def matrix(self) -> list[list[int | None]]:
        return [[1, 2], [], [None, wrong("x"), wrong(2.5), 3]]

    @strawberry.field
    def strict_matrix(self) -> list[list[int] | None] | None:
        return [[1], None, [wrong(None)], wrong(7)]

    @strawberry.field
    def no_list(self) -> list[int] | None:
        return wrong(5)

    @strawberry.field
    def tuples(self) -> list[str]:
        return wrong(("a", "b"))

    @strawberry.field
    def one_by_one(self) -> list[str]:
        return wrong(letter for letter in "abc")

    @strawberry.field
    def colours(self) -> list[Colour | None]:
        return [Colour.RED, wrong("green"), wrong(None), Colour.BLUE]

    @strawberry.field
    def raises(self) -> str | None:
        raise Fault("it raises")

    @strawberry.field
    async def raises_later(self) -> str | None:
        return await later(Fault("it raises later"))

    @strawberry.field
    def returns_a_fault(self) -> str | None:
        return wrong(Fault("it is returned"))

    @strawberry.field
    async def returns_a_fault_later(self) -> Cat | None:
        return wrong(Fault("it is returned later"))

    @strawberry.field
    def raises_an_error_of_its_own(self) -> int | None:
        raise GraphQLError("its own", extensions={"a": 1})

    @strawberry.field
    async def required(self) -> str:
        return wrong(None)

    @strawberry.field
    async def inside(self, times: int = 1) -> "Query | None":
        return Query(fine=f"fine {times}")

    @strawberry.field
    def required_inside(self) -> "Query":
        return Query()

    @strawberry.field
    def point(self, point: Point, points: list[Point] | None = None, n: int = 5) -> str:
        point.colours.append(Colour.BLUE)
        return repr((point, points, n))

    @strawberry.field
    def selected(self, info: strawberry.Info) -> list[str]:
        return [
            info.field_name,
            str(info.path.as_list()),
            str(info.return_type),
            str(info.variable_values),
            str(info.operation.operation),
            str(info.selected_fields),
            str(info.python_name),
        ]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add(self, info: strawberry.Info, number: int) -> int:
        total = info.context
        was = total[0]
        await later(None)
        total[0] = was + number
        return wrong(total[0])

    @strawberry.mutation
    def now(self, info: strawberry.Info) -> list[int | None]:
        return [info.context[0], None]

    @strawberry.mutation
    async def fails(self) -> int:
        return await later(Fault("it fails"))

    @strawberry.mutation
    async def may_fail(self) -> Query | None:
        return await later(Fault("it may fail"))

    @strawberry.mutation
    def query(self) -> Query:
        return Query()


SEEDS = 300

SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, types=[Cat, Dog])._schema

VALUES = {
    "String": ['"Rex"', '"Tom"'],
    "Int": ["1", "2", "-5"],
    "Point": ["{}", "{ x: 2, colours: [] }", "{ y: null, inner: { inner: { x: 3 } } }"],
    "points": ["[{}, { colours: BLUE }]", "{ x: 5 }", "null", "[]"],
}


def prepared(
    document: str, variables: dict[str, object]
) -> tuple[DocumentNode, OperationDefinitionNode, VariableValues]:
    node = parse(document)
    operation = get_operation_ast(node)
    assert operation is not None
    coerced = get_variable_values(SCHEMA, operation.variable_definitions or (), variables)
    assert isinstance(coerced, VariableValues)
    return node, operation, coerced


async def by_plan(document: str, variables: dict[str, object]) -> ExecutionResult:
    node, operation, coerced = prepared(document, variables)
    return await Plan.of(SCHEMA, node, operation, coerced).execute([0], coerced)


async def by_core(document: str, variables: dict[str, object]) -> ExecutionResult:
    result = execute(SCHEMA, parse(document), context_value=[0], variable_values=variables)
    return await result if isinstance(result, Awaitable) else result


def described(result: ExecutionResult) -> str:
    return json.dumps([result.data, [_error(error) for error in result.errors or ()]], indent=1)


def _error(error: GraphQLError) -> Any:
    cause = error.original_error
    # Messages of faults in our own code differ, and reach only the log.
    is_ours = isinstance(cause, TypeError) or "must resolve to" in error.message
    shown = "" if is_ours else error.message
    return [{**error.formatted, "message": shown}, type(cause).__name__]


async def test_whatever_is_asked_comes_to_the_same() -> None:
    valid = 0
    for seed in range(SEEDS):
        random = Random(seed)
        kind = OperationType.MUTATION if seed % 8 == 0 else OperationType.QUERY
        generator = DocumentGenerator(SCHEMA, random, VALUES)
        document = generator.generate(kind, depth=3)
        variables = generator.variables()
        if validate(SCHEMA, parse(document), specified_rules):
            continue  # two fields with one name
        valid += 1
        planned, executed = await by_plan(document, variables), await by_core(document, variables)

        assert described(planned) == described(executed), document

    assert valid > 0.8 * SEEDS


@pytest.mark.parametrize(
    "selection",
    [
        "fine animal { name @include(if: $when) } nothing",
        "fine animal { name @skip(if: $when) }",
        # in a list, in each type of an interface, behind fragments, and where nothing may be null
        "fine animals { name ... @include(if: $when) { nickname } }",
        "things { ... on Cat { name @include(if: $when) } ... on Dog { name } }",
        "inside { fine inside { fine ...F @skip(if: $when) } }",
        "fine requiredInside { fine @include(if: $when) }",
        # below a field that has another condition
        "fine animal @skip(if: true) { name @include(if: $when) }",
    ],
)
@pytest.mark.parametrize("kind", ["query", "mutation"])
async def test_a_condition_that_is_null_is_an_error_of_its_field(kind: str, selection: str) -> None:
    within = selection if kind == "query" else f"add(number: 1) query {{ {selection} }} now"
    document = f"""{kind} ($when: Boolean = true) {{ {within} }} fragment F on Query {{ fine }}"""
    # Twice: a plan is executed again and again.
    node, operation, coerced = prepared(document, {"when": None})
    plan = Plan.of(SCHEMA, node, operation, coerced)
    results = [await plan.execute([0], coerced) for _ in range(2)]
    executed = await by_core(document, {"when": None})

    assert [described(result) for result in results] == [described(executed)] * 2


@pytest.mark.parametrize(
    "selection",
    [
        "rock { __typename weight age } fine",
        "rock { weight title } numbers",
        "rock { subtitle colour } numbers nothing",
    ],
)
async def test_an_error_in_an_object_without_resolvers_has_its_path(selection: str) -> None:
    document = f"{{ inside {{ {selection} }} requiredInside {{ fine }} }}"
    planned, executed = await by_plan(document, {}), await by_core(document, {})

    assert described(planned) == described(executed)
    assert planned.errors


@pytest.mark.parametrize(
    ("selection", "is_plain"),
    [
        ("fine nothing numbers rock { __typename weight ...F }", True),
        ("rock { weight } raises", False),
        ("animal { name }", False),
    ],
)
def test_only_objects_without_resolvers_are_plain(selection: str, is_plain: bool) -> None:
    document = f"{{ {selection} rock {{ ...F }} }} fragment F on Rock {{ age }}"
    plan = Plan.of(SCHEMA, *prepared(document, {}))

    assert plan.root.is_plain == is_plain
