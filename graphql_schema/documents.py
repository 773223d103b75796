"""Documents that clients send: parsed, measured and validated once, and remembered while they are in use."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
)
from strawberry.extensions import SchemaExtension

from domain.errors import QueryTooCostly
from graphql_schema.limits import Limits, Measure, measure

# graphql-core reads all of the text again for every error, to say in which line it is.
MAX_CHARACTERS = 16 * 1024

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
    measures: LRUCache[Any, Measure] = field(default_factory=lambda: LRUCache(REMEMBERED_MEASURES))


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

    def parse(self, text: str) -> Document:
        """Raises QueryTooCostly for a document beyond what is worth parsing, and GraphQLSyntaxError."""
        try:
            node = parse(text, max_tokens=self.limits.tokens, max_source_length=MAX_CHARACTERS)
        except GraphQLSyntaxError as error:
            if error.message.endswith("Parsing aborted."):
                raise QueryTooCostly(
                    f"The document is too long or too deep; it may have {self.limits.tokens} tokens"
                    f" and {MAX_CHARACTERS} characters."
                ) from None
            raise
        return Document(text, node)


class RememberDocuments(SchemaExtension):
    """Parses a document and refuses one that is too costly, before anything else looks at it."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._is_known = False

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        text = context.query or ""
        known = self._documents.find(text)
        self._is_known = known is not None
        self._document = known or self._documents.parse(text)
        context.graphql_document = self._document.node
        yield

    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        # The public `operation_name` falls back to the first operation's: a document of several that names none would
        # run its first.
        operation = get_operation_ast(self._document.node, context._provided_operation_name)
        if operation is None:
            raise GraphQLError("The document has several operations: name one as `operationName`.")
        self._documents.limits.check(self._measure(operation))
        if self._is_known:
            context.pre_execution_errors = []
        yield
        if not self._is_known and not context.pre_execution_errors:
            self._documents.remember(self._document)

    def _measure(self, operation: OperationDefinitionNode) -> Measure:
        context = self.execution_context
        given = context.variables or {}
        variables = {
            name: given[name]
            for definition in operation.variable_definitions or ()
            if isinstance(given.get(name := definition.variable.name.value), int)
        }
        key = (operation.name and operation.name.value, *variables.items())
        found = self._document.measures.get(key)
        if found is None:
            found = measure(context.schema._schema, self._document.node, operation, variables)
            self._document.measures[key] = found
        return found
