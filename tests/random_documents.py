"""Random documents for any schema, with every feature of GraphQL that a selection may use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationType,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    is_required_argument,
)

# The conditions of @skip and @include, each with the declaration of its variable.
CONDITIONS = {
    "true": None,
    "false": None,
    "$yes": "$yes: Boolean!",
    "$no": "$no: Boolean!",
    "$unless": "$unless: Boolean! = false",
    "$when": "$when: Boolean = true",
}


@dataclass
class DocumentGenerator:
    """Generates one document.

    ``values`` has the literals to choose from, by the name of an argument or of its type.
    """

    schema: GraphQLSchema
    random: Random
    values: Mapping[str, Sequence[str]]
    _fragments: dict[str, tuple[GraphQLNamedType, str]] = field(default_factory=dict)
    _declared: set[str] = field(default_factory=set)
    _aliases: int = 0

    def generate(self, kind: OperationType, *, depth: int) -> str:
        """Return an operation with its fragments, nested at most ``depth`` levels of fields."""
        root = self.schema.get_root_type(kind)
        assert root is not None
        selection = self._selection(root, depth)
        declared = f"({', '.join(sorted(self._declared))})" if self._declared else ""
        fragments = (text for _, text in self._fragments.values())
        return "\n".join([f"{kind.value} {declared} {selection}", *fragments])

    def variables(self) -> dict[str, object]:
        """Return variables for any document. A variable with a default is left out at random."""
        variables: dict[str, object] = {"yes": True, "no": False}
        for name in ("unless", "when"):
            if self.random.random() < 0.5:
                variables[name] = self.random.random() < 0.5
        return variables

    def _selection(self, on: GraphQLNamedType, depth: int) -> str:
        chosen = [self._selected(on, depth) for _ in range(self.random.randint(1, 3))]
        return "{ " + " ".join([*chosen, self._leaf(on)]) + " }"

    def _selected(self, on: GraphQLNamedType, depth: int) -> str:
        chance = self.random.random()
        if chance < 0.1:
            return self._inline_fragment(on, depth)
        if chance < 0.2:
            return f"...{self._fragment(on, depth)}{self._directive()}"
        if chance < 0.25:
            return f"...{self._directive()} {self._selection(on, depth)}"
        fields = self._fields(on, depth)
        return self._field(*self.random.choice(fields), depth) if fields else self._leaf(on)

    def _leaf(self, on: GraphQLNamedType) -> str:
        """Return a field without a condition, so that no selection is empty."""
        return self.random.choice(["__typename", "called: __typename", "__typename __typename"])

    def _inline_fragment(self, on: GraphQLNamedType, depth: int) -> str:
        within = self.random.choice(self._applicable(on))
        return f"... on {within}{self._directive()} {self._selection(within, depth)}"

    def _fragment(self, on: GraphQLNamedType, depth: int) -> str:
        within = self.random.choice(self._applicable(on))
        known = [name for name, (of, _) in self._fragments.items() if of is within]
        if known and depth >= 2 and self.random.random() < 0.5:
            return self.random.choice(known)
        text = self._selection(within, min(depth, 2))
        name = f"f{len(self._fragments)}"
        self._fragments[name] = within, f"fragment {name} on {within} {text}"
        return name

    def _applicable(self, on: GraphQLNamedType) -> list[GraphQLNamedType]:
        if is_abstract_type(on):
            return [on, *self.schema.get_possible_types(on)]
        assert isinstance(on, GraphQLObjectType)
        return [on, *on.interfaces]

    def _fields(self, on: GraphQLNamedType, depth: int) -> list[tuple[str, GraphQLField]]:
        fields: Mapping[str, GraphQLField] = getattr(on, "fields", {})
        return [
            (name, definition)
            for name, definition in fields.items()
            if depth or not is_composite_type(get_named_type(definition.type))
        ]

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        arguments = self._arguments(definition.args)
        alias = ""
        # Two fields with one name and different arguments conflict: an alias avoids that.
        if arguments or self.random.random() < 0.1:
            self._aliases += 1
            alias = f"a{self._aliases}: "
        inside = get_named_type(definition.type)
        selection = self._selection(inside, depth - 1) if is_composite_type(inside) else ""
        return f"{alias}{name}{arguments}{self._directive()} {selection}"

    def _arguments(self, arguments: Mapping[str, GraphQLArgument]) -> str:
        chosen = [
            f"{name}: {self.random.choice(self._literals(name, argument))}"
            for name, argument in arguments.items()
            if is_required_argument(argument) or self.random.random() < 0.5
        ]
        return f"({', '.join(chosen)})" if chosen else ""

    def _literals(self, name: str, argument: GraphQLArgument) -> Sequence[str]:
        return self.values.get(name) or self.values[get_named_type(argument.type).name]

    def _directive(self) -> str:
        if self.random.random() < 0.75:
            return ""
        condition = self.random.choice(list(CONDITIONS))
        declaration = CONDITIONS[condition]
        if declaration:
            self._declared.add(declaration)
        return f" @{self.random.choice(['skip', 'include'])}(if: {condition})"
