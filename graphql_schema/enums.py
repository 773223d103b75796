"""Enums of the graph, derived from those of the domain."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

Enum = TypeVar("Enum", bound=StrEnum)


def publish(
    enum: type[Enum], *, name: str, description: str, values: Mapping[Enum, str]
) -> type[Enum]:
    """Make an enum of the domain a type of the graph. ``values`` describes each member.

    Raises KeyError, at import, if a member has no description.
    """
    published = strawberry.enum(enum, name=name, description=description)
    definition: StrawberryEnumDefinition = published.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[enum(value.value)]
    return published
