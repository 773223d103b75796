"""Documents: parsed, measured, validated and planned once, then cached while they are in use.

(Parsing and validating `me` takes ten times as long as the rest of its request.)
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
from graphql_schema.engine.costs import (
    Measure,
    measure,
    page_sizes,
    variables_for_page_sizes,
)
from graphql_schema.engine.limits import Limits
from graphql_schema.engine.plans import Plan, variables_for_conditions

# graphql-core reads the whole text again for every error, to find its line.
MAX_CHARACTERS = 16 * 1024

MAX_DIGITS = 300

# A parsed document takes up to 280 times the memory of its text (for a list of one-letter fields;
# ordinary ones take 100). With the minimum that each counts for, the limit also bounds their
# number.
BYTES_PER_CHARACTER = 280
MIN_DOCUMENT_BYTES = 64 * 1024
MAX_CACHE_BYTES = 64 * 1024 * 1024

# For each document: a client uses few different page sizes.
CACHED_MEASURES = 16

# A plan spreads its fragments, so its memory does not depend on the text: up to 1.5 KiB for a
# field. It also keeps its document alive, so plans are limited together with their documents, to
# the same size.
BYTES_PER_PLANNED_FIELD = 1536


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document, with the measures of its operations by page sizes."""

    text: str
    node: DocumentNode
    variables_for_page_sizes: frozenset[str]
    variables_for_conditions: frozenset[str]
    measures: LRUCache[Any, Measure] = field(default_factory=lambda: LRUCache(CACHED_MEASURES))

    @classmethod
    def of(cls, text: str, node: DocumentNode) -> Self:
        return cls(text, node, variables_for_page_sizes(node), variables_for_conditions(node))

    @property
    def size(self) -> int:
        """The maximum memory in bytes."""
        return max(BYTES_PER_CHARACTER * len(self.text), MIN_DOCUMENT_BYTES)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation of this name or, without a name, the only one.

        Raises CannotGetOperationTypeError if there is none, and GraphQLError if there are several.
        """
        operation = get_operation_ast(self.node, name)
        if operation is not None:
            return operation
        if name is None and get_first_operation(self.node):
            raise GraphQLError(
                "The document has several operations. Send the name of one as `operationName`."
            )
        raise CannotGetOperationTypeError(name)


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    document: Document
    plan: Plan

    @property
    def size(self) -> int:
        """The maximum memory in bytes."""
        return self.document.size + BYTES_PER_PLANNED_FIELD * self.plan.fields


class Documents:
    """A cache of the documents of one schema. Only valid ones are cached, so that invalid ones push
    none out."""

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
        self._cached: LRUCache[str, Document] = LRUCache(
            MAX_CACHE_BYTES, getsizeof=lambda document: document.size
        )
        self._plans: LRUCache[Any, PlannedDocument] = LRUCache(
            MAX_CACHE_BYTES, getsizeof=lambda planned: planned.size
        )

    def read(self, text: str) -> Document:
        """Parse a document. Raises GraphQLError if it is not valid GraphQL or too long."""
        cached = self._cached.get(text)
        if cached is not None:
            return cached
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
        """Return why an operation cannot run. A document that exceeds a limit is not validated."""
        try:
            self._limits.check(self._measure(document, operation, variables))
        except QueryTooCostly as error:
            return [GraphQLError(str(error), original_error=error)]
        if document.text in self._cached:
            return []
        problems = self._validate(document.node)
        if not problems:
            self._cached[document.text] = document
        return problems

    def plan(
        self, document: Document, operation: OperationDefinitionNode, variables: VariableValues
    ) -> Plan:
        """Return the plan of an operation of a valid document."""
        key = (
            document.text,
            operation.name and operation.name.value,
            *(variables.coerced.get(name) for name in document.variables_for_conditions),
        )
        planned = self._plans.get(key)
        if planned is None:
            plan = Plan.of(self._schema, document.node, operation, variables)
            planned = PlannedDocument(document, plan)
            if planned.size <= MAX_CACHE_BYTES:
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
        if _has_huge_number(node):
            return [GraphQLError("The document has a number with too many digits.")]
        return validate_document(self._schema, node, self._rules)


class DocumentCacheExtension(SchemaExtension):
    """Uses the cache in Strawberry's own execution.

    Errors are set and not raised: on a WebSocket, Strawberry would log a raised one with the
    document.
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
            # The public `operation_name` falls back to the first operation, and would run it if a
            # document has several and the request names none.
            operation = document.operation(context._provided_operation_name)
            context.pre_execution_errors = self._documents.check(
                document, operation, context.variables or {}
            )
        except GraphQLError as error:
            context.pre_execution_errors = [error]
        yield


def _has_huge_number(node: DocumentNode) -> bool:
    """Return whether a number has too many digits. Python refuses over 4,300, which graphql-core
    does not expect."""
    token = node.loc.start_token if node.loc else None
    while token:
        if token.kind is TokenKind.INT and len(token.value or "") > MAX_DIGITS:
            return True
        token = token.next
    return False
