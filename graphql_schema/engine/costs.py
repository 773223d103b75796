"""The cost of a document.

Measuring takes time linear in the document: each fragment is measured once, however often it is
spread, and a spread then costs an addition. It runs before validation, so it accepts documents with
unknown fields, undefined fragments and circular fragments.
"""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.pagination import MAX_PAGE_SIZE
from graphql_schema.engine.inputs import entries_in
from graphql_schema.engine.selections import all_selections, selections_in

# A password hash costs the machine some hundred times what a row does. With the default limit of
# 5,000 this allows four of them in one document, whatever aliases and fragments it uses.
PASSWORD_HASH = 1_000

# A mail is a transaction, and work for the mail server.
MAIL = 100

# A passkey is a transaction, and a signature to verify.
PASSKEY = 100

# Some thousand rows, and a response of megabytes.
EXPORT = 1_000

# A list is a query of its own, for each object that has it.
LIST_QUERY = 20

# Up to 50,000 characters: a hundred of them make a response of megabytes.
LONG_TEXT = 30

# Each row of a list is read whole, whatever is selected of it.
ROW = 10

# The arguments that say how many entries a list has: a number (Relay), or a list with one for each
# (Apollo Federation).
SIZE_ARGUMENTS = ("first", "representations")

# Introspection reads the schema in memory: a field takes two microseconds. With this, the
# introspection of a tool costs a quarter of the default limit.
INTROSPECTION = 0.25

# Tools nest some fifteen levels of introspection. Planning is recursive, and 190 levels would
# exceed Python's recursion limit.
MAX_INTROSPECTION_DEPTH = 40


def cost(fields: int, *, entries: int = 0) -> dict[str, int]:
    """Return the ``metadata`` of a field that costs as much as so many plain fields.

    A list without a page size has at most so many ``entries``.
    """
    return {"cost": fields, "entries": entries}


class Measure(NamedTuple):
    """The size of a selection with all of its fragments spread.

    ``cost`` counts the fields of a page for each of its entries, and ``fields`` counts them once.
    """

    depth: int = 0
    aliases: int = 0
    fields: int = 0
    cost: float = 0

    def plus(self, other: "Measure") -> "Measure":
        return Measure(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.fields + other.fields,
            self.cost + other.cost,
        )


def variables_for_page_sizes(document: DocumentNode) -> frozenset[str]:
    """Return the names of the variables that say how many entries a list has."""
    return frozenset(
        node.value.name.value
        for selection in all_selections(document)
        if isinstance(selection, FieldNode)
        for node in selection.arguments or ()
        if node.name.value in SIZE_ARGUMENTS and isinstance(node.value, VariableNode)
    )


def page_sizes(
    names: Iterable[str], operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> dict[str, int]:
    """Return the page sizes that are variables, for each name that has a value."""
    defaults = {
        definition.variable.name.value: _literal(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value
    }
    return {
        name: _within_range(variables[name]) if name in variables else defaults[name]
        for name in names
        if name in variables or name in defaults
    }


class Costs:
    """Measures the documents of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._introspection = _entries_of_introspection(schema)

    def measure(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        sizes: Mapping[str, int],
        entries: Mapping[str, int],
    ) -> Measure:
        """Measure one operation of a document, with these page sizes and these numbers of entries
        in its variables."""
        fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        calculator = _CostCalculator(self._schema, self._introspection, sizes, entries)
        for name in _innermost_first(fragments):
            fragment = fragments[name]
            on = self._schema.get_type(fragment.type_condition.name.value)
            calculator.fragments[name] = calculator.selection(fragment.selection_set, on)
        root = self._schema.get_root_type(operation.operation)
        return calculator.selection(operation.selection_set, root)


def _entries_of_introspection(schema: GraphQLSchema) -> Mapping[str, float]:
    """Return how many entries the lists of introspection have, on average."""
    types = [*schema.type_map.values()]
    fields = [field for type in types for field in getattr(type, "fields", {}).values()]
    arguments = [argument for field in fields for argument in getattr(field, "args", ())]
    enum_values = [value for type in types for value in getattr(type, "values", ())]
    return {
        "types": len(types),
        "directives": len(schema.directives),
        "fields": len(fields) / len(types),
        "inputFields": len(fields) / len(types),
        "enumValues": len(enum_values) / len(types),
        "args": max(1, len(arguments) / max(1, len(fields))),
        # About half of the types at any level are wrapped in another (a list, or not null).
        "ofType": 0.5,
    }


def _within_range(size: object) -> int:
    """Count a size out of range as the largest page. Resolving it raises an error later."""
    if isinstance(size, list):
        return min(len(size), MAX_PAGE_SIZE)
    if isinstance(size, float) and size.is_integer():
        size = int(size)  # graphql-core accepts it too
    return size if type(size) is int and 0 < size <= MAX_PAGE_SIZE else MAX_PAGE_SIZE


def _literal(value: object) -> int:
    if isinstance(value, IntValueNode) and len(value.value) <= len(str(MAX_PAGE_SIZE)):
        return _within_range(int(value.value))
    if isinstance(value, ListValueNode):
        return min(len(value.values), MAX_PAGE_SIZE)
    return MAX_PAGE_SIZE


def _innermost_first(fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    spreads = {
        name: fragments.keys()
        & {
            selection.name.value
            for selection in selections_in([fragment.selection_set])
            if isinstance(selection, FragmentSpreadNode)
        }
        for name, fragment in fragments.items()
    }
    try:
        return list(TopologicalSorter(spreads).static_order())
    except CycleError:
        return []  # validation refuses the document


class _CostCalculator:
    """Measures selections, and remembers the fragments it has measured.

    It is recursive: graphql-core refuses documents that are nested more than 200 levels deep.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        introspection: Mapping[str, float],
        sizes: Mapping[str, int],
        entries: Mapping[str, int],
    ) -> None:
        self.fragments: dict[str, Measure] = {}
        self._schema = schema
        self._introspection = introspection
        self._sizes = sizes
        self._entries = entries

    def selection(self, selection_set: SelectionSetNode, on: GraphQLNamedType | None) -> Measure:
        total = Measure()
        for selection in selection_set.selections:
            match selection:
                case FieldNode():
                    part = self._field(selection, on)
                case FragmentSpreadNode():
                    part = self.fragments.get(selection.name.value, Measure())
                case InlineFragmentNode(type_condition=NamedTypeNode() as condition):
                    inside = self._schema.get_type(condition.name.value)
                    part = self.selection(selection.selection_set, inside)
                case InlineFragmentNode():
                    part = self.selection(selection.selection_set, on)
            total = total.plus(part)
        return total

    def _field(self, node: FieldNode, on: GraphQLNamedType | None) -> Measure:
        aliases = 1 if node.alias else 0
        name = node.name.value
        field = self._schema.get_field(on, name) if is_composite_type(on) else None
        weight = _weight(field) + sum(
            entries_in(argument.value, self._entries) for argument in node.arguments or ()
        )
        if node.selection_set is None:
            return Measure(1, aliases, 1, weight)
        to = get_named_type(field.type) if field else None
        inner = self.selection(node.selection_set, to)
        # The fields of an interface are planned for each of its types.
        types = len(self._schema.get_possible_types(to)) if is_abstract_type(to) else 1
        is_introspection = name.startswith("__")
        # A validation rule limits the nesting of lists in introspection
        # (MaxIntrospectionDepthRule).
        is_shallow = is_introspection and inner.depth <= MAX_INTROSPECTION_DEPTH
        cost = weight + self._inside(node, field, on, inner.cost)
        return Measure(
            1 if is_shallow else 1 + inner.depth,
            aliases + inner.aliases,
            1 + types * inner.fields,
            INTROSPECTION * cost if is_introspection else cost,
        )

    def _inside(
        self, node: FieldNode, field: GraphQLField | None, on: GraphQLNamedType | None, cost: float
    ) -> float:
        """Multiply the cost inside a list by the number of its entries."""
        if field is None:
            return cost
        for name in SIZE_ARGUMENTS:
            if name in field.args:
                return self._page_size(node, name, field.args[name]) * (ROW + cost)
        if on is not None and on.name.startswith("__"):
            return cost * self._introspection.get(node.name.value, 1)
        entries: int | None = metadata_of(field).get("entries")
        return entries * (ROW + cost) if entries else cost

    def _page_size(self, node: FieldNode, name: str, definition: GraphQLArgument) -> int:
        size = _within_range(definition.default_value)
        for argument in node.arguments or ():
            if argument.name.value == name:
                value = argument.value
                size = (
                    self._sizes.get(value.name.value, size)
                    if isinstance(value, VariableNode)
                    else _literal(value)
                )
        return size


def _weight(field: GraphQLField | None) -> int:
    weight: int = metadata_of(field).get("cost", 1)
    return weight


def metadata_of(field: GraphQLField | None) -> Mapping[str, Any]:
    """Return the ``cost`` of a field of Strawberry's, and its ``entries``."""
    definition = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    metadata: Mapping[str, Any] = getattr(definition, "metadata", {})
    return metadata
