"""The one schema and its extensions."""

import strawberry
from graphql import GraphQLError
from strawberry.extensions import DisableIntrospection
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from graphql_schema.context import Context
from graphql_schema.documents import Documents, RememberDocuments
from graphql_schema.errors import PublishedErrorCode, translate
from graphql_schema.limits import Limits
from graphql_schema.mutations import Mutation
from graphql_schema.queries import Query


class Schema(strawberry.Schema):
    """Strawberry's, with errors translated once for HTTP, WebSockets and tests alike."""

    def __init__(
        self, limits: Limits, *, introspection: bool = True, suggestions: bool = True
    ) -> None:
        self._suggestions = suggestions
        documents = Documents(limits)
        super().__init__(
            query=Query,
            mutation=Mutation,
            types=[PublishedErrorCode],
            config=StrawberryConfig(batching_config=None),
            extensions=[
                lambda: RememberDocuments(documents),
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
