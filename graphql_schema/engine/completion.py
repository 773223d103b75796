"""How the values of a field become their form in the response (GraphQL specification, section
6.4.3)."""

from collections.abc import Callable
from dataclasses import dataclass
from types import CoroutineType
from typing import Any

from graphql import GraphQLError, GraphQLLeafType, Undefined
from graphql.pyutils import Path, inspect, is_iterable

from graphql_schema.engine.execution import Complete, ExecutionState, Field, Read, awaited, drain


@dataclass(frozen=True, slots=True)
class Completion:
    """How the values of a field become their form in the response: any value, and a plain one if
    there can be one."""

    complete: Complete
    read: Read | None = None


def serializer(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    def serialize(value: Any) -> Any:
        serialized = leaf.coerce_output_value(value)
        if serialized is None or serialized is Undefined:
            raise TypeError(f"{leaf} cannot represent {inspect(value)}.")
        return serialized

    return serialize


def required(inner: Completion) -> Completion:
    complete_inner = inner.complete

    def complete(field: Field, state: ExecutionState, value: Any, path: Path) -> Any:
        completed = complete_inner(field, state, value, path)
        return field.raise_null() if completed is None else completed

    return Completion(complete, inner.read and _read_required(inner.read))


def optional(inner: Completion) -> Completion:
    complete_inner = inner.complete

    def complete(field: Field, state: ExecutionState, value: Any, path: Path) -> Any:
        if isinstance(value, Exception):
            raise value
        return None if value is None else complete_inner(field, state, value, path)

    return Completion(complete, inner.read and _read_optional(inner.read))


def each(inner: Completion, *, is_required: bool) -> Completion:
    """Complete each entry of a list by itself. An error in a nullable entry leaves the others."""
    complete_inner = inner.complete

    def complete(field: Field, state: ExecutionState, value: Any, path: Path) -> Any:
        if not is_iterable(value):
            raise GraphQLError(f"Expected Iterable, but did not find one for field '{field}'.")
        values: list[Any] = []
        waiting: list[int] = []
        try:
            for place, item in enumerate(value):
                completed = field.complete_with(
                    complete_inner, state, item, Path(path, place, None), is_required=is_required
                )
                values.append(completed)
                if type(completed) is CoroutineType:
                    waiting.append(place)
        except Exception:
            drain(values[place] for place in waiting)
            raise
        return awaited(values, waiting) if waiting else values

    return Completion(complete, inner.read and _read_each(inner.read))


def raising(error: GraphQLError) -> Complete:
    def complete(field: Field, state: ExecutionState, value: Any, path: Path) -> Any:
        # A plan is cached: the error would keep the frames of every execution.
        raise error.with_traceback(None)

    return complete


def _read_required(inner: Read) -> Read:
    def read(value: Any) -> Any:
        if value is None:
            raise TypeError
        return inner(value)

    return read


def _read_optional(inner: Read) -> Read:
    def read(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        return None if value is None else inner(value)

    return read


def _read_each(inner: Read) -> Read:
    def read(value: Any) -> Any:
        if type(value) is not list:
            raise TypeError
        return [inner(item) for item in value]

    return read
