"""Documents that clients send: parsed, measured, validated and planned once, and remembered while they are in use.

(Parsing and validating `me` takes ten times as long as the rest of its answer.)
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cachetools import LRUCache
from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    TokenKind,
    get_operation_ast,
    parse,
    specified_rules,
)
from graphql.execution.values import VariableValues
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.schema.schema import validate_document
from strawberry.utils.operation import get_first_operation

from domain.errors import QueryTooCostly
from graphql_schema.engine.limits import (
    Limits,
    Measure,
    measure,
    page_sizes,
    variables_for_page_sizes,
)
from graphql_schema.engine.plans import Plan, variables_for_conditions

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

# A plan spreads its fragments, so the text says nothing of its own memory: up to 1.5 KiB for a field. It keeps its
# document as well, of which it may have no field at all: plans are bounded together with their documents, to as much.
BYTES_FOR_A_FIELD = 1536


@dataclass(frozen=True, slots=True)
class Document:
    """A document, and what its operations come to by the page sizes that they were sent with."""

    text: str
    node: DocumentNode
    variables_for_page_sizes: frozenset[str]
    variables_for_conditions: frozenset[str]
    measures: LRUCache[Any, Measure] = field(default_factory=lambda: LRUCache(REMEMBERED_MEASURES))

    @classmethod
    def of(cls, text: str, node: DocumentNode) -> Self:
        return cls(text, node, variables_for_page_sizes(node), variables_for_conditions(node))

    @property
    def size(self) -> int:
        """In bytes, at the most."""
        return max(BYTES_FOR_A_CHARACTER * len(self.text), BYTES_FOR_THE_SHORTEST)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of this name; without a name, the only one. Raises CannotGetOperationTypeError if there is none,
        and GraphQLError if there are several to choose from."""
        operation = get_operation_ast(self.node, name)
        if operation is not None:
            return operation
        if name is None and get_first_operation(self.node):
            raise GraphQLError("The document has several operations: name one as `operationName`.")
        raise CannotGetOperationTypeError(name)


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    document: Document
    plan: Plan

    @property
    def size(self) -> int:
        """In bytes, at the most."""
        return self.document.size + BYTES_FOR_A_FIELD * self.plan.fields


class Documents:
    """The documents of one schema. Only what is valid is remembered, so that nonsense displaces nothing."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        rules: Iterable[type[ASTValidationRule]] = (),
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._rules = (*specified_rules, *rules)
        self._remembered: LRUCache[str, Document] = LRUCache(
            BYTES_FOR_ALL, getsizeof=lambda document: document.size
        )
        self._plans: LRUCache[Any, PlannedDocument] = LRUCache(
            BYTES_FOR_ALL, getsizeof=lambda planned: planned.size
        )

    def read(self, text: str) -> Document:
        """Raises GraphQLError for what is no document, or too long to look at."""
        known = self._remembered.get(text)
        if known is not None:
            return known
        return Document.of(
            text,
            parse(text, max_tokens=self._limits.tokens, max_source_length=MAX_CHARACTERS),
        )

    def check(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> list[GraphQLError]:
        """What keeps an operation from being run. What is too costly is not looked at any further."""
        try:
            self._limits.check(self._measure(document, operation, variables))
        except QueryTooCostly as refusal:
            return [GraphQLError(str(refusal), original_error=refusal)]
        if document.text in self._remembered:
            return []
        problems = self._validate(document.node)
        if not problems:
            self._remembered[document.text] = document
        return problems

    def plan(
        self, document: Document, operation: OperationDefinitionNode, variables: VariableValues
    ) -> Plan:
        """The plan for an operation of a valid document."""
        key = (
            document.text,
            operation.name and operation.name.value,
            *(variables.coerced.get(name) for name in document.variables_for_conditions),
        )
        planned = self._plans.get(key)
        if planned is None:
            plan = Plan.of(self._schema, document.node, operation, variables)
            planned = PlannedDocument(document, plan)
            if planned.size <= BYTES_FOR_ALL:
                self._plans[key] = planned
        return planned.plan

    def _measure(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> Measure:
        sizes = page_sizes(document.variables_for_page_sizes, operation, variables)
        key = (operation.name and operation.name.value, *sorted(sizes.items()))
        found = document.measures.get(key)
        if found is None:
            found = measure(self._schema, document.node, operation, sizes)
            document.measures[key] = found
        return found

    def _validate(self, node: DocumentNode) -> list[GraphQLError]:
        if _has_endless_number(node):
            return [GraphQLError("The document has a number that is too long.")]
        return validate_document(self._schema, node, self._rules)


class DocumentCacheExtension(SchemaExtension):
    """The same for Strawberry's own execution.

    A refusal is set and not raised: on a WebSocket Strawberry would log what is raised here, with the document.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._document: Document | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        self._document = self._documents.read(context.query or "")
        context.graphql_document = self._document.node
        yield

    def on_validate(self) -> Iterator[None]:
        context, document = self.execution_context, self._document
        assert document is not None
        try:
            # The public `operation_name` falls back to the first operation's: a document of several that names none
            # would run its first.
            operation = document.operation(context._provided_operation_name)
            context.pre_execution_errors = self._documents.check(
                document, operation, context.variables or {}
            )
        except GraphQLError as refusal:
            context.pre_execution_errors = [refusal]
        yield


def _has_endless_number(node: DocumentNode) -> bool:
    """Python reads no number of more than 4,300 digits, and graphql-core does not expect that."""
    token = node.loc.start_token if node.loc else None
    while token:
        if token.kind is TokenKind.INT and len(token.value or "") > MAX_DIGITS:
            return True
        token = token.next
    return False
