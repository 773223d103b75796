"""What a document may cost.

Everything here takes time linear in the document: each fragment is measured once, however often it is spread, and a
spread then costs an addition. It runs before validation, so it stands documents of which nothing is known: unknown
fields, undefined fragments, fragments in circles.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
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
    Undefined,
    VariableNode,
    get_named_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from domain.errors import QueryTooCostly
from domain.pages import MAX_PAGE_SIZE

COST = "cost"

# A password hash costs the machine some hundred times what a row does. Beside the default limit of 5,000 this leaves room
# for four in one document, whatever aliases and fragments it uses.
HASHES = {COST: 1_000}


@dataclass(frozen=True, slots=True)
class Limits:
    """``depth`` in levels of fields, ``aliases`` and ``tokens`` in their number, ``cost`` in fields resolved."""

    depth: int
    aliases: int
    tokens: int
    cost: int

    def check(self, measure: "Measure") -> None:
        """Raises QueryTooCostly, which says what was too much and what may be."""
        for what, has, may in (
            ("levels of fields", measure.depth, self.depth),
            ("aliases", measure.aliases, self.aliases),
            ("as its cost", measure.cost, self.cost),
        ):
            if has > may:
                raise too_costly(what, has, may)


# For a schema that is printed, or tried out by a trusted hand.
UNLIMITED = Limits(depth=sys.maxsize, aliases=sys.maxsize, tokens=sys.maxsize, cost=sys.maxsize)


def too_costly(what: str, has: int, may: int) -> QueryTooCostly:
    # A document that doubles thirty times has a cost that nobody wants to read.
    shown = has if has < 1_000_000 else "over 1000000"
    return QueryTooCostly(f"The document has {shown} {what}; a request may have {may}.")


class Measure(NamedTuple):
    """What a selection comes to when every fragment in it is spread out."""

    depth: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: "Measure") -> "Measure":
        return Measure(
            max(self.depth, other.depth), self.aliases + other.aliases, self.cost + other.cost
        )


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> Measure:
    """What one operation of a document comes to with these variables."""
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    defaults = {
        definition.variable.name.value: int(definition.default_value.value)
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }
    ruler = _Ruler(schema, defaults | dict(variables))
    for name in _innermost_first(fragments):
        fragment = fragments[name]
        on = schema.get_type(fragment.type_condition.name.value)
        ruler.fragments[name] = ruler.selection(fragment.selection_set, on)
    return ruler.selection(operation.selection_set, schema.get_root_type(operation.operation))


def _innermost_first(fragments: Mapping[str, FragmentDefinitionNode]) -> list[str]:
    spreads = {
        name: fragments.keys() & _spreads(fragment.selection_set)
        for name, fragment in fragments.items()
    }
    try:
        return list(TopologicalSorter(spreads).static_order())
    except CycleError:
        return []  # validation refuses it, and nothing of it runs


def _spreads(selection_set: SelectionSetNode) -> set[str]:
    names = set()
    unread = [selection_set]
    while unread:
        for selection in unread.pop().selections:
            if isinstance(selection, FragmentSpreadNode):
                names.add(selection.name.value)
            elif inside := getattr(selection, "selection_set", None):
                unread.append(inside)
    return names


class _Ruler:
    """Measures selections, and knows the fragments that it has measured.

    It descends by recursion: graphql-core parses no document that is nested more than 200 deep.
    """

    def __init__(self, schema: GraphQLSchema, variables: Mapping[str, Any]) -> None:
        self.fragments: dict[str, Measure] = {}
        self._schema = schema
        self._variables = variables

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
            total = total.beside(part)
        return total

    def _field(self, node: FieldNode, on: GraphQLNamedType | None) -> Measure:
        aliases = 1 if node.alias else 0
        field = getattr(on, "fields", {}).get(node.name.value)
        if node.selection_set is None or node.name.value.startswith("__"):
            # What introspection may nest is a rule of validation (MaxIntrospectionDepthRule).
            return Measure(1, aliases, _weight(field))
        inside = get_named_type(field.type) if field else None
        inner = self.selection(node.selection_set, inside)
        return Measure(
            1 + inner.depth,
            aliases + inner.aliases,
            _weight(field) + self._page_size(node, field) * inner.cost,
        )

    def _page_size(self, node: FieldNode, field: GraphQLField | None) -> int:
        """How often what is inside a field may be resolved."""
        if field is None or "first" not in field.args:
            return 1
        size: object = field.args["first"].default_value
        for argument in node.arguments or ():
            if argument.name.value == "first":
                size = self._number(argument.value)
        # A size out of range is refused when it is resolved; until then it costs what the largest page does.
        return size if isinstance(size, int) and 0 < size <= MAX_PAGE_SIZE else MAX_PAGE_SIZE

    def _number(self, value: object) -> object:
        match value:
            case IntValueNode(value=digits) if len(digits) <= len(str(MAX_PAGE_SIZE)):
                return int(digits)
            case VariableNode(name=name):
                return self._variables.get(name.value, Undefined)
        return Undefined


def _weight(field: GraphQLField | None) -> int:
    definition = field and field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    weight: int = getattr(definition, "metadata", {}).get(COST, 1)
    return weight
