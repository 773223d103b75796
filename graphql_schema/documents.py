"""Documents that clients send: parsed, measured and validated once, and remembered while they are in use."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self, cast

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    TokenKind,
    get_operation_ast,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from domain.errors import QueryTooCostly
from graphql_schema.limits import Limits, Measure, measure, page_sizes, variables_for_page_sizes

# graphql-core reads all of the text again for every error, to say in which line it is.
MAX_CHARACTERS = 16 * 1024

MAX_DIGITS = 300

# A parsed document takes up to 280 times the memory of its text (a list of one-letter fields; ordinary ones take 100).
# The bound on the memory of all, with the least that each counts for, bounds their number too.
BYTES_FOR_A_CHARACTER = 280
BYTES_FOR_THE_SHORTEST = 64 * 1024
BYTES_FOR_ALL = 64 * 1024 * 1024

# For one document: a client pages by few different sizes.
REMEMBERED_MEASURES = 16


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document, and what its operations come to by the page sizes that they were sent with."""

    text: str
    node: DocumentNode
    variables_for_page_sizes: frozenset[str]
    measures: LRUCache[Any, Measure] = field(default_factory=lambda: LRUCache(REMEMBERED_MEASURES))

    @classmethod
    def of(cls, text: str, node: DocumentNode) -> Self:
        return cls(text, node, variables_for_page_sizes(node))


class Documents:
    """The documents of one schema. Only what is valid is remembered, so that nonsense displaces nothing."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._remembered: LRUCache[str, Document] = LRUCache(
            BYTES_FOR_ALL,
            getsizeof=lambda document: max(
                BYTES_FOR_A_CHARACTER * len(document.text), BYTES_FOR_THE_SHORTEST
            ),
        )

    def find(self, text: str) -> Document | None:
        return self._remembered.get(text)

    def remember(self, document: Document) -> None:
        self._remembered[document.text] = document


class RememberDocuments(SchemaExtension):
    """Refuses a document that is too costly before anything else looks at it.

    A refusal is set and not raised: on a WebSocket Strawberry would log what is raised here, with the document.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._known: Document | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        self._known = self._documents.find(context.query or "")
        if self._known:
            context.graphql_document = self._known.node
        else:
            options = cast("dict[str, int]", context.parse_options)
            options["max_tokens"] = self._documents.limits.tokens
            options["max_source_length"] = MAX_CHARACTERS
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        assert context.graphql_document is not None
        document = self._known or Document.of(context.query or "", context.graphql_document)
        try:
            self._documents.limits.check(self._measure(document))
        except (GraphQLError, QueryTooCostly) as refusal:
            context.pre_execution_errors = [_as_graphql_error(refusal)]
            yield
            return
        context.pre_execution_errors = [] if self._known else self._validate()
        if not self._known and not context.pre_execution_errors:
            self._documents.remember(document)
        yield

    def _validate(self) -> list[GraphQLError]:
        context = self.execution_context
        assert context.graphql_document is not None
        if _has_endless_number(context.graphql_document):
            return [GraphQLError("The document has a number that is too long.")]
        return validate_document(
            context.schema._schema, context.graphql_document, context.validation_rules
        )

    def _measure(self, document: Document) -> Measure:
        context = self.execution_context
        # The public `operation_name` falls back to the first operation's: a document of several that names none would
        # run its first.
        operation = get_operation_ast(document.node, context._provided_operation_name)
        if operation is None:
            raise GraphQLError("The document has several operations: name one as `operationName`.")
        sizes = page_sizes(document.variables_for_page_sizes, operation, context.variables or {})
        key = (operation.name and operation.name.value, *sorted(sizes.items()))
        found = document.measures.get(key)
        if found is None:
            found = measure(context.schema._schema, document.node, operation, sizes)
            document.measures[key] = found
        return found


def _as_graphql_error(error: Exception) -> GraphQLError:
    return (
        error if isinstance(error, GraphQLError) else GraphQLError(str(error), original_error=error)
    )


def _has_endless_number(node: DocumentNode) -> bool:
    """Python reads no number of more than 4,300 digits, and graphql-core does not expect that."""
    token = node.loc.start_token if node.loc else None
    while token:
        if token.kind is TokenKind.INT and len(token.value or "") > MAX_DIGITS:
            return True
        token = token.next
    return False
