"""The schema, and how operations on it are executed."""

import json
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing
from datetime import timedelta
from functools import cached_property
from typing import Any, NamedTuple

import strawberry
from graphql import (
    GraphQLError,
    OperationDefinitionNode,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES, StreamResult
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from domain.authentication.reauthentication import ProofMethod
from domain.deadline import within
from domain.errors import ErrorCode, QueryTooCostly
from domain.loop_time import charge_same
from graphql_schema.context import Context
from graphql_schema.engine.documents import DocumentCacheExtension, Documents
from graphql_schema.engine.inputs import has_long_name
from graphql_schema.engine.limits import Limits
from graphql_schema.engine.new_documents import NewDocuments
from graphql_schema.engine.plans import Plan
from graphql_schema.engine.trusted_documents import NO_TRUSTED_DOCUMENTS, TrustedDocuments
from graphql_schema.errors import codes_of, translate
from graphql_schema.federation import NoIntrospectionRule, subgraph_sdl
from graphql_schema.mutations import Mutation
from graphql_schema.queries import Query, SubgraphQuery
from graphql_schema.queries.federation import REPRESENTATION, Representation
from graphql_schema.subscriptions import Subscription
from graphql_schema.types.factors import SecondFactorChallenge

# Each quotes the variable, and reads all of it.
MAX_VARIABLE_ERRORS = 5

# A stream keeps them for as long as it lasts.
MAX_SUBSCRIPTION_VARIABLES = 4096

NO_VARIABLES = VariableValues({}, {})

# Errors that the HTTP layer responds to itself.
REQUEST_ERRORS = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


class Schema(strawberry.Schema):
    """A Strawberry schema that executes operations by plan and translates all errors.

    ``new_documents`` is the share of the process's time in which one network may send documents
    that are not cached. With ``federation`` it is a subgraph of Apollo Federation. With
    ``extensions``, which hook into Strawberry's own execution, Strawberry executes; the responses
    are the same. (Without them, `me` takes half of the time.)

    Raises ValueError if one of the ``trusted_documents`` cannot be used.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        new_documents: float = 1,
        deadline: timedelta | None = None,
        introspection: bool = True,
        suggestions: bool = True,
        trusted_documents: TrustedDocuments = NO_TRUSTED_DOCUMENTS,
        federation: bool = False,
        extensions: Iterable[Callable[[], SchemaExtension]] = (),
    ) -> None:
        self._deadline = deadline
        self._suggestions = suggestions
        self.trusted_documents = trusted_documents
        self._federation = federation
        given = list(extensions)
        super().__init__(
            query=SubgraphQuery if federation else Query,
            mutation=Mutation,
            subscription=Subscription,
            types=[ErrorCode, ProofMethod, SecondFactorChallenge],
            config=StrawberryConfig(
                batching_config=None, scalar_map={Representation: REPRESENTATION}
            ),
            extensions=given
            and [lambda: DocumentCacheExtension(self._documents, _network_of), *given],
        )
        self._documents = Documents(
            self._schema,
            limits,
            NewDocuments(new_documents),
            rules=[] if introspection else [NoIntrospectionRule],
            trusted=trusted_documents,
        )

    def as_str(self) -> str:
        """Return the SDL: of a subgraph, what composition takes."""
        return self._sdl

    @cached_property
    def _sdl(self) -> str:
        sdl = super().as_str()
        return subgraph_sdl(sdl) if self._federation else sdl

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        # An empty name is an absent one.
        operation_name = operation_name or None
        if self.extensions:
            return await super().execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )
        try:
            result = await self._execute(
                query,
                variable_values or {},
                context_value,
                operation_name,
                allowed_operation_types or DEFAULT_ALLOWED_OPERATION_TYPES,
            )
        except REQUEST_ERRORS:
            raise
        except Exception as error:
            result = _failed(error)
        if result.errors:
            self._translate(result.errors, context_value)
        return result

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
    ) -> StreamResult:
        """Execute an operation of a WebSocket or an event stream: with one result or, of a
        subscription, one for each event.

        Each has the ``deadline`` that HTTP requests have as a whole. An error that ends the stream
        is a PreExecutionError. Raises InvalidOperationTypeError.
        """
        operation_name = operation_name or None
        if self.extensions:
            return await super().stream(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                operation_extensions,
                allowed_operation_types,
            )
        try:
            prepared = self._prepare(
                query,
                variable_values or {},
                context_value,
                operation_name,
                allowed_operation_types or DEFAULT_ALLOWED_OPERATION_TYPES,
            )
        except InvalidOperationTypeError:
            raise
        except Exception as error:
            prepared = _failed(error)
        return self._results(prepared, context_value)

    async def _results(
        self, prepared: "_Prepared | ExecutionResult", context: object
    ) -> AsyncGenerator[ExecutionResult, None]:
        try:
            if isinstance(prepared, ExecutionResult):
                yield self._translated(PreExecutionError(None, prepared.errors), context)
            elif not prepared.plan.is_subscription:
                yield await self._within_deadline(prepared, context)
            else:
                async with aclosing(self._subscribe(prepared, context)) as events:
                    async for event in events:
                        work = self._within_deadline(prepared, context, event)
                        yield await _in_turn(context, work)
                        if isinstance(context, Context):
                            context.renew()
        except Exception as error:
            yield self._translated(_failed(error), context)
        finally:
            if isinstance(context, Context):
                context.release()

    def _subscribe(self, prepared: "_Prepared", context: object) -> AsyncGenerator[Any, None]:
        """Return the source stream. What it keeps is bounded: the plan and the variables."""
        if len(json.dumps(prepared.variables.coerced, default=str)) > MAX_SUBSCRIPTION_VARIABLES:
            raise QueryTooCostly(
                f"The variables of a subscription can have {MAX_SUBSCRIPTION_VARIABLES} characters."
            )
        if isinstance(context, Context):
            context.fields = prepared.plan.fields
        return prepared.plan.subscribe(context, prepared.variables)

    async def _within_deadline(
        self, prepared: "_Prepared", context: object, event: object = None
    ) -> ExecutionResult:
        work = charge_same(prepared.plan.execute(context, prepared.variables, event))
        result = await within(self._deadline, work)
        return self._translated(ExecutionResult(result.data, result.errors), context)

    async def _execute(self, *operation: Any) -> ExecutionResult:
        prepared = self._prepare(*operation)
        if isinstance(prepared, ExecutionResult):
            return prepared
        _, _, context, *_ = operation
        result = await prepared.plan.execute(context, prepared.variables)
        return ExecutionResult(result.data, result.errors)

    def _prepare(
        self,
        query: str | None,
        inputs: dict[str, Any],
        context: object,
        operation_name: str | None,
        allowed: Iterable[OperationType],
    ) -> "_Prepared | ExecutionResult":
        """Return the plan of an operation, or a result with the errors because of which it cannot
        be executed."""
        if not query:
            raise MissingQueryError
        preparation = self._documents.preparation(_network_of(context))
        document = self._documents.read(query, preparation)
        operation = document.operation(operation_name)
        if isinstance(context, Context):
            context.operation = operation
        operation_type = OperationType(operation.operation.value)
        if operation_type not in allowed:
            raise InvalidOperationTypeError(operation_type)
        if problems := self._documents.check(document, operation, inputs, preparation):
            return PreExecutionError(None, problems)
        variables = self._variables(operation, inputs)
        if isinstance(variables, list):
            return ExecutionResult(None, variables)
        plan = self._documents.plan(document, operation, variables, preparation)
        if isinstance(context, Context):
            context.root_fields = plan.root_fields
        return _Prepared(plan, variables)

    def _variables(
        self, operation: OperationDefinitionNode, inputs: dict[str, Any]
    ) -> VariableValues | list[GraphQLError]:
        if not operation.variable_definitions:
            return NO_VARIABLES
        if any(
            has_long_name(
                inputs.get(one.variable.name.value), type_from_ast(self._schema, one.type)
            )
            for one in operation.variable_definitions
        ):
            return [GraphQLError("A variable has a name that is too long.")]
        return get_variable_values(
            self._schema,
            operation.variable_definitions,
            inputs,
            MAX_VARIABLE_ERRORS,
            # Looking for similar words takes a second in a megabyte.
            hide_suggestions=True,
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Translate errors before they leave. Strawberry's own method would log them with document
        and variables."""
        self._translate(errors, execution_context and execution_context.context)

    def _translated(self, result: ExecutionResult, context: object) -> ExecutionResult:
        if result.errors:
            self._translate(result.errors, context)
        return result

    def _translate(self, errors: Sequence[GraphQLError], context: object) -> None:
        request_id = context.request_id if isinstance(context, Context) else "-"
        for error in errors:
            translate(error, request_id=request_id, suggestions=self._suggestions)
        if isinstance(context, Context):
            context.codes = codes_of(errors)


class _Prepared(NamedTuple):
    """An operation that can be executed."""

    plan: Plan
    variables: VariableValues


async def _in_turn(context: object, work: Coroutine[Any, Any, ExecutionResult]) -> ExecutionResult:
    if isinstance(context, Context) and context.in_turn:
        result: ExecutionResult = await context.in_turn(work)
        return result
    return await work


def _network_of(context: object) -> str:
    return context.device.network if isinstance(context, Context) else "unknown"


def _failed(error: Exception) -> PreExecutionError:
    located = (
        error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
    )
    return PreExecutionError(None, [located])
