"""The values that a client sends: in variables, and as literals in a document."""

from collections.abc import Collection, Mapping

from graphql import (
    GraphQLType,
    ListValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    is_enum_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
)

from domain.errors import QueryTooCostly

# Each is coerced, compared and converted for every field that takes it. A page has 100 entries, and
# no input has more than ten fields.
MAX_VALUES = 1_000

# For a name that it does not know, graphql-core searches the schema for similar ones, which takes a
# tenth of a second if it has a million characters.
MAX_NAME_LENGTH = 128

NO_ENTRIES: Mapping[str, int] = {}


def entries_in_variables(variables: Mapping[str, object]) -> Mapping[str, int]:
    """Return the number of entries in the lists and objects of each variable that has any.

    Raises QueryTooCostly if all variables together have too many values.
    """
    if _count(variables, NO_ENTRIES) > MAX_VALUES:
        raise QueryTooCostly(f"The variables have over {MAX_VALUES} values.")
    return {
        name: _count(value, NO_ENTRIES)
        for name, value in variables.items()
        if isinstance(value, list | dict)
    }


def entries_in(value: ValueNode, in_variables: Mapping[str, int]) -> int:
    """Return the number of entries in the lists and objects of a literal."""
    return _count(value, in_variables)


def has_long_name(value: object, of: GraphQLType | None) -> bool:
    """Return whether a variable has a name longer than any of the schema, as the value of an enum
    or as the field of an input."""
    unread: list[tuple[object, GraphQLType | None]] = [(value, of)]
    while unread:
        value, of = unread.pop()
        if is_non_null_type(of):
            of = of.of_type
        if is_list_type(of):
            inside = value if isinstance(value, list) else [value]
            unread += [(entry, of.of_type) for entry in inside]
        elif is_input_object_type(of) and isinstance(value, dict):
            if any(len(name) > MAX_NAME_LENGTH for name in value):
                return True
            unread += [(value[name], of.fields[name].type) for name in of.fields.keys() & value]
        elif is_enum_type(of) and isinstance(value, str) and len(value) > MAX_NAME_LENGTH:
            return True
    return False


def _count(value: object, in_variables: Mapping[str, int]) -> int:
    """Count without recursion, and stop beyond the limit: a request can have 500,000 values."""
    total, unread = 0, [value]
    while unread and total <= MAX_VALUES:
        value = unread.pop()
        if isinstance(value, VariableNode):
            total += in_variables.get(value.name.value, 0)
            continue
        inside = _inside(value)
        total += len(inside)
        if total <= MAX_VALUES:
            unread += inside
    return total


def _inside(value: object) -> Collection[object]:
    match value:
        case list():
            return value
        case dict():
            return value.values()
        case ListValueNode():
            return value.values
        case ObjectValueNode():
            return [field.value for field in value.fields]
    return ()
