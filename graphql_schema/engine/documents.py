"""Documents: parsed, measured, validated and planned once, then cached while they are in use.

(Parsing and validating `me` takes ten times as long as the rest of its request.)
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from cachetools import LRUCache
from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    get_operation_ast,
)
from graphql.execution.values import VariableValues
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.utils.operation import get_first_operation

from domain.errors import DocumentNotTrusted, DomainError, QueryTooCostly
from graphql_schema.engine.costs import Costs, Measure, page_sizes, variables_for_page_sizes
from graphql_schema.engine.inputs import NO_ENTRIES, entries_in_variables
from graphql_schema.engine.limits import Limits
from graphql_schema.engine.new_documents import NewDocuments, Preparation
from graphql_schema.engine.plans import Plan, variables_for_conditions
from graphql_schema.engine.trusted_documents import NO_TRUSTED_DOCUMENTS, TrustedDocuments
from graphql_schema.engine.validation import parse_within, problems_of

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

# Of the first operation, in a text that may not be valid.
_NAME = re.compile(r"\b(?:query|mutation|subscription)\s+\w+")


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

    @property
    def operations(self) -> list[OperationDefinitionNode]:
        return [node for node in self.node.definitions if isinstance(node, OperationDefinitionNode)]

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
    none out.

    What is not cached is charged to the network that sends it, in ``new_documents``: the methods
    take the ``preparation`` of one request, and raise TooManyAttempts or Overloaded.

    Trusted documents are prepared at once, and stay. Raises ValueError if one is invalid.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        new_documents: NewDocuments,
        *,
        rules: Iterable[type[ASTValidationRule]] = (),
        trusted: TrustedDocuments = NO_TRUSTED_DOCUMENTS,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._new_documents = new_documents
        self._costs = Costs(schema)
        self._rules = tuple(rules)
        self._cached: LRUCache[str, Document] = LRUCache(
            MAX_CACHE_BYTES, getsizeof=lambda document: document.size
        )
        self._plans: LRUCache[Any, PlannedDocument] = LRUCache(
            MAX_CACHE_BYTES, getsizeof=lambda planned: planned.size
        )
        self._only_trusted = trusted.only
        self._trusted_plans: dict[Any, Plan] = {}
        self._trusted = {text: self._prepare(text, id) for text, id in trusted.ids.items()}

    def preparation(self, network: str) -> Preparation:
        """Return the preparation of one request of a network."""
        return self._new_documents.preparation(network)

    def read(self, text: str, preparation: Preparation) -> Document:
        """Parse a document. Raises GraphQLError if it is not valid GraphQL, QueryTooCostly, or
        DocumentNotTrusted."""
        cached = self._trusted.get(text) or self._cached.get(text)
        if cached is not None:
            return cached
        if self._only_trusted:
            raise DocumentNotTrusted
        with preparation.step():
            return Document.of(text, parse_within(text, tokens=self._limits.tokens))

    def check(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        preparation: Preparation,
    ) -> list[GraphQLError]:
        """Return why an operation cannot run. A document that exceeds a limit is not validated."""
        try:
            self._limits.check(self._measure(document, operation, variables, preparation))
            if document.text in self._trusted or document.text in self._cached:
                return []
            with preparation.step():
                problems = problems_of(document.node, self._schema, self._rules)
        except QueryTooCostly as error:
            return [GraphQLError(str(error), original_error=error)]
        if not problems:
            self._cached[document.text] = document
        return problems

    def plan(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        preparation: Preparation,
    ) -> Plan:
        """Return the plan of an operation of a valid document."""
        key = (
            document.text,
            _name_of(operation),
            *(variables.coerced.get(name) for name in document.variables_for_conditions),
        )
        if trusted := self._trusted_plans.get(key):
            return trusted
        planned = self._plans.get(key)
        if planned is None:
            with preparation.step():
                plan = Plan.of(self._schema, document.node, operation, variables)
            planned = PlannedDocument(document, plan)
            if planned.size <= MAX_CACHE_BYTES:
                self._plans[key] = planned
        return planned.plan

    def _prepare(self, text: str, id: str) -> Document:
        """Prepare a trusted document. Raises ValueError, with its name, if it cannot be used."""
        try:
            document = Document.of(text, parse_within(text, tokens=self._limits.tokens))
            problems = problems_of(document.node, self._schema, self._rules)
            if problems:
                raise problems[0]
            for operation in document.operations:
                self._prepare_operation(document, operation)
        except (GraphQLError, QueryTooCostly) as error:
            raise ValueError(f"{_described(text, id)} cannot be used: {error.message}") from None
        return document

    def _prepare_operation(self, document: Document, operation: OperationDefinitionNode) -> None:
        # If it is too costly even with the smallest pages, it can never run.
        sizes = dict.fromkeys(document.variables_for_page_sizes, 1)
        measure = self._costs.measure(document.node, operation, sizes, NO_ENTRIES)
        self._limits.check(measure)
        document.measures[_name_of(operation), *sorted(sizes.items()), None] = measure
        if not document.variables_for_conditions:
            plan = Plan.of(self._schema, document.node, operation, VariableValues({}, {}))
            self._trusted_plans[document.text, _name_of(operation)] = plan

    def _measure(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
        preparation: Preparation,
    ) -> Measure:
        entries = entries_in_variables(variables) if variables else NO_ENTRIES
        sizes = page_sizes(document.variables_for_page_sizes, operation, variables)
        key = (_name_of(operation), *sorted(sizes.items()), None, *sorted(entries.items()))
        found = document.measures.get(key)
        if found is None:
            with preparation.step():
                found = self._costs.measure(document.node, operation, sizes, entries)
            document.measures[key] = found
        return found


def _name_of(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


def _described(text: str, id: str) -> str:
    """Name a trusted document for an operator, by its first operation, too."""
    name = _NAME.search(text)
    return f"the {name[0]} of the document {id}" if name else f"the document {id}"


class DocumentCacheExtension(SchemaExtension):
    """Uses the cache in Strawberry's own execution. ``network_of`` reads a context.

    Errors are set and not raised: on a WebSocket, Strawberry would log a raised one with the
    document.
    """

    def __init__(self, documents: Documents, network_of: Callable[[object], str]) -> None:
        self._documents = documents
        self._network_of = network_of
        self._document: Document | None = None
        self._preparation: Preparation | None = None

    def on_parse(self) -> Iterator[None]:
        context = self.execution_context
        self._preparation = self._documents.preparation(self._network_of(context.context))
        self._document = self._documents.read(context.query or "", self._preparation)
        context.graphql_document = self._document.node
        yield

    def on_validate(self) -> Iterator[None]:
        context, document = self.execution_context, self._document
        assert document is not None
        assert self._preparation is not None
        try:
            # The public `operation_name` falls back to the first operation, and would run it if a
            # document has several and the request names none.
            operation = document.operation(context._provided_operation_name)
            context.pre_execution_errors = self._documents.check(
                document, operation, context.variables or {}, self._preparation
            )
        except GraphQLError as error:
            context.pre_execution_errors = [error]
        except DomainError as error:
            context.pre_execution_errors = [GraphQLError(str(error), original_error=error)]
        yield
