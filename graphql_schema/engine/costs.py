"""The cost of a document.

Measuring takes time linear in the document: each fragment is measured once, however often it is
spread, and a spread then costs an addition. It runs before validation, so it accepts documents with
unknown fields, undefined fragments and circular fragments.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.pagination import MAX_PAGE_SIZE
from graphql_schema.engine.selections import all_selections, selections_in

# A password hash costs the machine some hundred times what a row does. With the default limit of
# 5,000 this allows four of them in one document, whatever aliases and fragments it uses.
PASSWORD_HASH = 1_000

# A list is a query of its own, for each object that has it.
LIST_QUERY = 20

# A list without pages has about ten rows, and at most a hundred.
UNPAGED_LIST = 100

# Up to 50,000 characters: a hundred of them make a response of megabytes.
LONG_TEXT = 30

# Each row of a list is read whole, whatever is selected of it.
ROW = 10

# Tools nest some fifteen levels of introspection. Planning is recursive, and 190 levels would
# exceed Python's recursion limit.
MAX_INTROSPECTION_DEPTH = 40


def cost(fields: int) -> dict[str, int]:
    """Return the ``metadata`` of a field that costs as much as so many plain fields."""
    return {"cost": fields}


class Measure(NamedTuple):
    """The size of a selection with all of its fragments spread."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0
    repeats: int = 0

    def plus(self, other: "Measure") -> "Measure":
        return Measure(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.cost + other.cost,
            max(self.repeats, other.repeats),
        )


def variables_for_page_sizes(document: DocumentNode) -> frozenset[str]:
    """Return the names of the variables that are the ``first`` argument of a field."""
    return frozenset(
        node.value.name.value
        for selection in all_selections(document)
        if isinstance(selection, FieldNode)
        for node in selection.arguments or ()
        if node.name.value == "first" and isinstance(node.value, VariableNode)
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


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    sizes: Mapping[str, int],
) -> Measure:
    """Measure one operation of a document with these page sizes."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    calculator = _CostCalculator(schema, sizes)
    for name in _innermost_first(fragments):
        fragment = fragments[name]
        on = schema.get_type(fragment.type_condition.name.value)
        calculator.fragments[name] = calculator.selection(fragment.selection_set, on)
    return calculator.selection(operation.selection_set, schema.get_root_type(operation.operation))


def _within_range(size: object) -> int:
    """Count a size out of range as the largest page. Resolving it raises an error later."""
    if isinstance(size, float) and size.is_integer():
        size = int(size)  # graphql-core accepts it too
    return size if type(size) is int and 0 < size <= MAX_PAGE_SIZE else MAX_PAGE_SIZE


def _literal(value: object) -> int:
    if isinstance(value, IntValueNode) and len(value.value) <= len(str(MAX_PAGE_SIZE)):
        return _within_range(int(value.value))
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

    def __init__(self, schema: GraphQLSchema, sizes: Mapping[str, int]) -> None:
        self.fragments: dict[str, Measure] = {}
        self._schema = schema
        self._sizes = sizes

    def selection(self, selection_set: SelectionSetNode, on: GraphQLNamedType | None) -> Measure:
        total = Measure(repeats=_repeats(selection_set))
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
        field = getattr(on, "fields", {}).get(node.name.value)
        if node.selection_set is None:
            return Measure(1, aliases, _weight(field))
        inner = self.selection(node.selection_set, get_named_type(field.type) if field else None)
        # A validation rule limits the nesting of lists in introspection
        # (MaxIntrospectionDepthRule).
        is_introspection = (
            node.name.value.startswith("__") and inner.depth <= MAX_INTROSPECTION_DEPTH
        )
        return Measure(
            1 if is_introspection else 1 + inner.depth,
            aliases + inner.aliases,
            _weight(field) + self._inside(node, field, inner.cost),
            inner.repeats,
        )

    def _inside(self, node: FieldNode, field: GraphQLField | None, cost: int) -> int:
        """Multiply the cost inside a field by the size of its page."""
        if field is None or "first" not in field.args:
            return cost
        size: int = field.args["first"].default_value
        for argument in node.arguments or ():
            if argument.name.value == "first":
                value = argument.value
                size = (
                    self._sizes.get(value.name.value, size)
                    if isinstance(value, VariableNode)
                    else _literal(value)
                )
        return size * (ROW + cost)


def _repeats(selection_set: SelectionSetNode) -> int:
    names = Counter(
        (field.alias or field.name).value
        for field in selection_set.selections
        if isinstance(field, FieldNode)
    )
    return max(names.values(), default=0)


def _weight(field: GraphQLField | None) -> int:
    definition = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    weight: int = getattr(definition, "metadata", {}).get("cost", 1)
    return weight
