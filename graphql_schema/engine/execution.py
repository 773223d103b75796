"""How a plan runs: selections of fields, each of which resolves a value and completes it.

Whatever may have to wait is a coroutine, and everything else a plain call: an attribute is read, serialized and put into
the answer without a stop. Errors are located and nulls bubble as the GraphQL specification has it (section 6.4.4), and
as graphql-core does it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import CoroutineType
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    is_non_null_type,
    located_error,
)
from graphql.execution.executor import CollectedErrors
from graphql.execution.values import VariableValues, get_argument_values
from graphql.pyutils import Path, gather_with_cancel, is_awaitable


@dataclass(frozen=True, slots=True)
class Operation:
    """What resolvers may ask about the operation that they are in."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    node: OperationDefinitionNode


@dataclass(slots=True)
class ExecutionState:
    """One execution of an operation: what it was given, and the errors it has met."""

    operation: Operation
    context: object
    variables: VariableValues
    errors: CollectedErrors = field(default_factory=CollectedErrors)


@dataclass(slots=True, eq=False, kw_only=True)
class Field:
    """One name of the answer, on one type of object."""

    name: str
    nodes: list[FieldNode]
    parent: GraphQLObjectType
    definition: GraphQLField
    is_required: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_required = is_non_null_type(self.definition.type)

    def __str__(self) -> str:
        return f"{self.parent}.{self.nodes[0].name.value}"

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        """What the answer has under this name, or a coroutine that will return it. Raises where that is an error, and
        null is no answer."""
        raise NotImplementedError

    def complete_with(
        self,
        complete: "Complete",
        state: ExecutionState,
        value: Any,
        path: Path,
        *,
        is_required: bool,
    ) -> Any:
        """A value completed: the field's, or that of one place in its list."""
        try:
            completed = complete(self, state, value, path)
        except Exception as error:
            return self.refuse(state, error, path, is_required=is_required)
        if type(completed) is CoroutineType:
            return self._guard(state, completed, path, is_required=is_required)
        return completed

    async def _guard(
        self, state: ExecutionState, completed: Awaitable[Any], path: Path, *, is_required: bool
    ) -> Any:
        try:
            return await completed
        except Exception as error:
            return self.refuse(state, error, path, is_required=is_required)

    def refuse(
        self, state: ExecutionState, error: Exception, path: Path, *, is_required: bool
    ) -> None:
        """Null and an error, here; or an error alone, for whatever holds this."""
        located = located_error(error, self.nodes, path.as_list())
        if is_required:
            raise located
        state.errors.add(located, path)

    def refuse_null(self) -> None:
        raise TypeError(f"Cannot return null for non-nullable field {self}.")

    def info(self, state: ExecutionState, path: Path) -> GraphQLResolveInfo[object]:
        return GraphQLResolveInfo(
            self.nodes[0].name.value,
            self.nodes,
            self.definition.type,
            self.parent,
            path,
            state.operation.schema,
            state.operation.fragments,
            None,
            state.operation.node,
            # Strawberry hands on the plain values.
            state.variables.coerced,  # type: ignore[arg-type]
            state.context,
            is_awaitable,
            None,
            None,  # type: ignore[arg-type]  # helpers that nothing here asks for
        )


#: Makes of a value what the answer has for it, or a coroutine that will return that.
Complete = Callable[[Field, ExecutionState, Any, Path], Any]


@dataclass(slots=True, eq=False, kw_only=True)
class TypeName(Field):
    """``__typename``, which is known before anything runs."""

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> str:
        return self.parent.name


@dataclass(slots=True, eq=False, kw_only=True)
class Attribute(Field):
    """A scalar or an enum that its source has under a name. Most of an answer are these."""

    attribute: str
    serialize: Callable[[Any], Any]

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        try:
            value = getattr(source, self.attribute)
            if value is not None:
                return self.serialize(value)
            return self.refuse_null() if self.is_required else None
        except Exception as error:
            here = Path(path, self.name, self.parent.name)
            return self.refuse(state, error, here, is_required=self.is_required)


@dataclass(slots=True, eq=False, kw_only=True)
class Resolved(Field):
    """What a resolver answers, or an attribute with more inside."""

    attribute: str | None
    complete: Complete

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        here = Path(path, self.name, self.parent.name)
        try:
            value = (
                getattr(source, self.attribute)
                if self.attribute
                else self._call_resolver(state, source, here)
            )
        except Exception as error:
            return self.refuse(state, error, here, is_required=self.is_required)
        if is_awaitable(value):
            return self._await(state, value, here)
        return self.complete_with(self.complete, state, value, here, is_required=self.is_required)

    async def _await(self, state: ExecutionState, value: Awaitable[Any], path: Path) -> Any:
        try:
            completed = self.complete(self, state, await value, path)
            return await completed if type(completed) is CoroutineType else completed
        except Exception as error:
            return self.refuse(state, error, path, is_required=self.is_required)

    def _call_resolver(self, state: ExecutionState, source: Any, path: Path) -> Any:
        assert self.definition.resolve is not None
        arguments = (
            get_argument_values(self.definition, self.nodes[0], state.variables)
            if self.definition.args
            else {}
        )
        return self.definition.resolve(source, self.info(state, path), **arguments)


@dataclass(slots=True)
class Selection:
    """The fields that are asked of one type of object."""

    fields: list[Field]

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        values: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for one in self.fields:
                value = values[one.name] = one.execute(state, source, path)
                if type(value) is CoroutineType:
                    waiting.append(one.name)
        except Exception:
            drain(values[name] for name in waiting)
            raise
        return awaited(values, waiting) if waiting else values

    async def execute_in_turn(self, state: ExecutionState) -> dict[str, Any]:
        """One after the other, as the fields of a mutation are."""
        values = {}
        for one in self.fields:
            value = one.execute(state, None, None)
            values[one.name] = await value if type(value) is CoroutineType else value
        return values


async def awaited(values: Any, waiting: Sequence[Any]) -> Any:
    """Values by their names, or in a list, once those that ``waiting`` names have come, all at the same time."""
    if len(waiting) == 1:
        [only] = waiting
        values[only] = await values[only]
    else:
        found = await gather_with_cancel(*(values[place] for place in waiting))
        for place, value in zip(waiting, found, strict=True):
            values[place] = value
    return values


def drain(waiting: Iterable[Awaitable[Any]]) -> None:
    """See what has begun to its end, although nobody asks for it any more."""
    asyncio.gather(*waiting, return_exceptions=True)
