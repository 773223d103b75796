"""The schema, and how operations on it are executed."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import strawberry
from graphql import GraphQLError, NoSchemaIntrospectionCustomRule, OperationDefinitionNode
from graphql.execution.values import VariableValues, get_variable_values
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.schema.schema import DEFAULT_ALLOWED_OPERATION_TYPES, StreamResult
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from domain.deadline import within
from domain.errors import ErrorCode, Unavailable
from graphql_schema.context import Context
from graphql_schema.engine.documents import DocumentCacheExtension, Documents
from graphql_schema.engine.limits import Limits
from graphql_schema.errors import codes_of, translate
from graphql_schema.mutations import Mutation
from graphql_schema.queries import Query

# The default of graphql-core.
MAX_VARIABLE_ERRORS = 50

NO_VARIABLES = VariableValues({}, {})

# Errors that the HTTP layer responds to itself.
REQUEST_ERRORS = (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)


class Schema(strawberry.Schema):
    """A Strawberry schema that executes operations by plan and translates all errors.

    With ``extensions``, which hook into Strawberry's own execution, Strawberry executes; the
    responses are the same. (Without them, `me` takes half of the time.)
    """

    def __init__(
        self,
        limits: Limits,
        *,
        deadline: timedelta | None = None,
        introspection: bool = True,
        suggestions: bool = True,
        extensions: Iterable[Callable[[], SchemaExtension]] = (),
    ) -> None:
        self._deadline = deadline
        self._suggestions = suggestions
        given = list(extensions)
        super().__init__(
            query=Query,
            mutation=Mutation,
            types=[ErrorCode],
            config=StrawberryConfig(batching_config=None),
            extensions=given and [lambda: DocumentCacheExtension(self._documents), *given],
        )
        self._documents = Documents(
            self._schema, limits, rules=[] if introspection else [NoSchemaIntrospectionCustomRule]
        )

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

    async def stream(self, query: str | None, *args: Any, **kwargs: Any) -> StreamResult:
        """Execute an operation of a WebSocket, within the ``deadline`` that HTTP requests have as a
        whole.

        There are no subscriptions, so the stream has one result.
        """
        if self.extensions:
            return await super().stream(query, *args, **kwargs)
        return self._stream_one(query, *args, **kwargs)

    async def _stream_one(self, *args: Any, **kwargs: Any) -> AsyncGenerator[ExecutionResult, None]:
        try:
            yield await within(self._deadline, self.execute(*args, **kwargs))
        except (*REQUEST_ERRORS, Unavailable) as error:
            result = _failed(error)
            self._translate(result.errors or [], kwargs.get("context_value"))
            yield result
        finally:
            if isinstance(context := kwargs.get("context_value"), Context):
                context.response.release()

    async def _execute(
        self,
        query: str | None,
        inputs: dict[str, Any],
        context: object,
        operation_name: str | None,
        allowed: Iterable[OperationType],
    ) -> ExecutionResult:
        if not query:
            raise MissingQueryError
        document = self._documents.read(query)
        operation = document.operation(operation_name)
        if isinstance(context, Context):
            context.operation = operation
        operation_type = OperationType(operation.operation.value)
        if operation_type not in allowed:
            raise InvalidOperationTypeError(operation_type)
        if problems := self._documents.check(document, operation, inputs):
            return PreExecutionError(None, problems)
        variables = self._variables(operation, inputs)
        if isinstance(variables, list):
            return ExecutionResult(None, variables)
        plan = self._documents.plan(document, operation, variables)
        if isinstance(context, Context):
            context.root_fields = plan.root_fields
        result = await plan.execute(context, variables)
        return ExecutionResult(result.data, result.errors)

    def _variables(
        self, operation: OperationDefinitionNode, inputs: dict[str, Any]
    ) -> VariableValues | list[GraphQLError]:
        if not operation.variable_definitions:
            return NO_VARIABLES
        return get_variable_values(
            self._schema, operation.variable_definitions, inputs, MAX_VARIABLE_ERRORS
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Translate errors before they leave. Strawberry's own method would log them with document
        and variables."""
        self._translate(errors, execution_context and execution_context.context)

    def _translate(self, errors: Sequence[GraphQLError], context: object) -> None:
        request_id = context.request_id if isinstance(context, Context) else "-"
        for error in errors:
            translate(error, request_id=request_id, suggestions=self._suggestions)
        if isinstance(context, Context):
            context.codes = codes_of(errors)


def _failed(error: Exception) -> PreExecutionError:
    located = (
        error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
    )
    return PreExecutionError(None, [located])
