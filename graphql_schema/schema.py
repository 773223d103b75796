"""The one schema and its extensions."""

from collections.abc import Iterator

import strawberry
from graphql import GraphQLError, OperationDefinitionNode, parse
from strawberry.extensions import (
    DisableIntrospection,
    SchemaExtension,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from graphql_schema.context import Context
from graphql_schema.errors import PublishedErrorCode, translate
from graphql_schema.mutations import Mutation
from graphql_schema.queries import Query

# GraphiQL's introspection has some 200 tokens. Parsing stops at either limit, whatever else the document holds:
# graphql-core reads all of the text again for every error, to say in which line it is.
MAX_TOKENS = 1000
MAX_CHARACTERS = 16 * 1024


class ParseWithinLimits(SchemaExtension):
    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        context.graphql_document = parse(
            context.query or "", max_tokens=MAX_TOKENS, max_source_length=MAX_CHARACTERS
        )
        yield


class OneOperation(SchemaExtension):
    """Refuses a document of several operations that does not say which to run. Strawberry would run the first."""

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document is not None
        operations = [
            definition
            for definition in context.graphql_document.definitions
            if isinstance(definition, OperationDefinitionNode)
        ]
        # The public `operation_name` falls back to the first operation's, which hides whether the client named one.
        if len(operations) > 1 and context._provided_operation_name is None:
            context.pre_execution_errors = [
                GraphQLError("The document has several operations: name one as `operationName`.")
            ]
        yield


class Schema(strawberry.Schema):
    """Strawberry's, with errors translated once for HTTP, WebSockets and tests alike."""

    def __init__(self, *, introspection: bool = True, suggestions: bool = True) -> None:
        self._suggestions = suggestions
        super().__init__(
            query=Query,
            mutation=Mutation,
            types=[PublishedErrorCode],
            config=StrawberryConfig(batching_config=None),
            extensions=[
                OneOperation,
                ParseWithinLimits,
                *([] if introspection else [DisableIntrospection]),
            ],
        )

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Runs before any error leaves. Strawberry's own would log them with the document and the variables."""
        context = execution_context.context if execution_context else None
        request_id = context.request_id if isinstance(context, Context) else "-"
        for error in errors:
            translate(error, request_id=request_id, suggestions=self._suggestions)
