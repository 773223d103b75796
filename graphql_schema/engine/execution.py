"""Runs plans: selections of fields, each of which resolves a value and completes it.

A field that has to wait returns a coroutine; all others are plain calls, which read an attribute,
serialize it and add it to the result. Errors are located and nulls propagate as in the GraphQL
specification (section 6.4.4) and in graphql-core.

An object whose fields need no resolver, at any depth, is *plain*: it is read without paths and
without a handler at each field. If that raises, the fields are executed one by one, which locates
the error.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
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

from domain.loop_time import charge_same


@dataclass(frozen=True, slots=True)
class Operation:
    """The operation, as resolvers read it in ``info``."""

    schema: GraphQLSchema
    fragments: dict[str, FragmentDefinitionNode]
    node: OperationDefinitionNode


@dataclass(slots=True)
class ExecutionState:
    """The input and the collected errors of one execution."""

    operation: Operation
    context: object
    variables: VariableValues
    errors: CollectedErrors = field(default_factory=CollectedErrors)


@dataclass(slots=True, eq=False, kw_only=True)
class Field:
    """A field of an object type, under one name of the response."""

    name: str
    nodes: list[FieldNode]
    parent: GraphQLObjectType
    definition: GraphQLField
    is_required: bool = field(init=False)

    @property
    def is_plain(self) -> bool:
        """Tell whether the field, and all inside of it, can be read from the source."""
        return False

    def read(self, source: Any) -> Any:
        """Return the value in the response. Raises, without a location, if there is an error."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        self.is_required = is_non_null_type(self.definition.type)

    def __str__(self) -> str:
        return f"{self.parent}.{self.nodes[0].name.value}"

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        """Return the value in the response, or a coroutine that returns it.

        Raises if there is an error and the field cannot be null.
        """
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
        """Complete a value: the field's own, or one entry of its list."""
        try:
            completed = complete(self, state, value, path)
        except Exception as error:
            return self.add_error(state, error, path, is_required=is_required)
        if type(completed) is CoroutineType:
            return self._guard(state, completed, path, is_required=is_required)
        return completed

    async def _guard(
        self, state: ExecutionState, completed: Awaitable[Any], path: Path, *, is_required: bool
    ) -> Any:
        try:
            return await completed
        except Exception as error:
            return self.add_error(state, error, path, is_required=is_required)

    def add_error(
        self, state: ExecutionState, error: Exception, path: Path, *, is_required: bool
    ) -> None:
        """Add an error and return null or, if the value is required, raise the error."""
        located = located_error(error, self.nodes, path.as_list())
        if not is_required:
            state.errors.add(located, path)
            return
        try:
            raise located
        finally:
            # The traceback has this frame: they would refer to each other. In a list, only one of
            # the errors is returned, and only garbage collection would free the others.
            del located, error

    def raise_null(self) -> None:
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
            None,  # type: ignore[arg-type]  # helpers that resolvers here do not use
        )


#: Converts a value to its form in the response, or returns a coroutine that does.
Complete = Callable[[Field, ExecutionState, Any, Path], Any]

#: Converts a plain value to its form in the response. Raises for any other value.
Read = Callable[[Any], Any]


@dataclass(slots=True, eq=False, kw_only=True)
class TypeName(Field):
    """``__typename``, which is known before execution."""

    @property
    def is_plain(self) -> bool:
        return True

    def read(self, source: Any) -> str:
        return self.parent.name

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> str:
        return self.parent.name


@dataclass(slots=True, eq=False, kw_only=True)
class Attribute(Field):
    """A scalar or an enum in an attribute of the source. Most fields are these."""

    attribute: str
    serialize: Callable[[Any], Any]

    @property
    def is_plain(self) -> bool:
        return True

    def read(self, source: Any) -> Any:
        value = getattr(source, self.attribute)
        if value is not None:
            return self.serialize(value)
        return self.raise_null() if self.is_required else None

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        try:
            return self.read(source)
        except Exception as error:
            here = Path(path, self.name, self.parent.name)
            return self.add_error(state, error, here, is_required=self.is_required)


@dataclass(slots=True, eq=False, kw_only=True)
class Resolved(Field):
    """A field with a resolver, or an attribute with a selection of its own."""

    attribute: str | None
    resolve: Callable[..., Any] | None
    complete: Complete
    #: Converts the value of the attribute, if that can be plain.
    read_value: Read | None

    @property
    def is_plain(self) -> bool:
        return self.attribute is not None and self.read_value is not None

    def read(self, source: Any) -> Any:
        assert self.attribute is not None
        assert self.read_value is not None
        return self.read_value(getattr(source, self.attribute))

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        here = Path(path, self.name, self.parent.name)
        try:
            value = (
                getattr(source, self.attribute)
                if self.attribute
                else self._call_resolver(state, source, here)
            )
        except Exception as error:
            return self.add_error(state, error, here, is_required=self.is_required)
        if is_awaitable(value):
            return self._await(state, value, here)
        return self.complete_with(self.complete, state, value, here, is_required=self.is_required)

    async def _await(self, state: ExecutionState, value: Awaitable[Any], path: Path) -> Any:
        try:
            completed = self.complete(self, state, await value, path)
            return await completed if type(completed) is CoroutineType else completed
        except Exception as error:
            return self.add_error(state, error, path, is_required=self.is_required)

    def _call_resolver(self, state: ExecutionState, source: Any, path: Path) -> Any:
        assert self.resolve is not None
        return self.resolve(source, self.info(state, path), **self._arguments(state))

    def _arguments(self, state: ExecutionState) -> dict[str, Any]:
        if not self.definition.args:
            return {}
        return get_argument_values(self.definition, self.nodes[0], state.variables)

    def subscribe(self, state: ExecutionState) -> AsyncGenerator[Any, None]:
        """Return the source stream of a field of a subscription. Its errors are located."""
        assert self.definition.subscribe is not None
        path = Path(None, self.name, self.parent.name)
        source = self.definition.subscribe(None, self.info(state, path), **self._arguments(state))
        return self._located(source, path)

    async def _located(
        self, source: Awaitable[AsyncGenerator[Any, None]], path: Path
    ) -> AsyncGenerator[Any, None]:
        try:
            async with aclosing(await source) as events:
                async for event in events:
                    yield event
        except Exception as error:
            raise located_error(error, self.nodes, path.as_list()) from error


@dataclass(slots=True)
class Selection:
    """The selected fields of an object type."""

    fields: list[Field]
    is_plain: bool = field(init=False)
    _reads: list[tuple[str, Read]] = field(init=False)

    def __post_init__(self) -> None:
        self.is_plain = all(item.is_plain for item in self.fields)
        self._reads = [(item.name, item.read) for item in self.fields]

    def read(self, source: Any) -> dict[str, Any]:
        """Return the values of a plain object. Raises if there is an error."""
        return {name: read(source) for name, read in self._reads}

    def execute(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        if self.is_plain:
            try:
                return self.read(source)
            except Exception:
                # Attributes can be read again.
                return self._execute_each(state, source, path)
        return self._execute_each(state, source, path)

    def _execute_each(self, state: ExecutionState, source: Any, path: Path | None) -> Any:
        values: dict[str, Any] = {}
        waiting: list[str] = []
        try:
            for item in self.fields:
                value = values[item.name] = item.execute(state, source, path)
                if type(value) is CoroutineType:
                    waiting.append(item.name)
        except Exception:
            drain(values[name] for name in waiting)
            raise
        return awaited(values, waiting) if waiting else values

    async def execute_in_turn(self, state: ExecutionState) -> dict[str, Any]:
        """Execute the fields one after the other, as mutations are."""
        values = {}
        for item in self.fields:
            value = item.execute(state, None, None)
            values[item.name] = await value if type(value) is CoroutineType else value
        return values


async def awaited(values: Any, waiting: Sequence[Any]) -> Any:
    """Await the values at the keys or indexes in ``waiting`` together, and return all values."""
    if len(waiting) == 1:
        [only] = waiting
        values[only] = await values[only]
    else:
        found = await gather_with_cancel(*(charge_same(values[place]) for place in waiting))
        for place, value in zip(waiting, found, strict=True):
            values[place] = value
    return values


def drain(waiting: Iterable[Awaitable[Any]]) -> None:
    """Let started coroutines finish although their results are not needed."""
    asyncio.gather(*waiting, return_exceptions=True)
