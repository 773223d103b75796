"""How the resolver of a field is called."""

import inspect
from collections.abc import Callable
from typing import Any

import strawberry
from graphql import GraphQLField, GraphQLResolveInfo
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField


def resolver_of(definition: GraphQLField) -> Callable[..., Any] | None:
    """Return what graphql-core calls for the value of a field, or the same in fewer steps.

    For each call Strawberry converts arguments, applies extensions and wraps the coroutine, which
    takes longer than the resolver of `me`. One that takes ``info`` alone needs none of that.
    """
    field = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(field, StrawberryField) or field.extensions or field.arguments:
        return definition.resolve
    resolver = field.base_resolver
    if resolver is None or not inspect.iscoroutinefunction(resolver.wrapped_func):
        return definition.resolve
    function = resolver.wrapped_func
    if [*inspect.signature(function).parameters.values()] != [resolver.info_parameter]:
        return definition.resolve

    def resolve(_: object, info: GraphQLResolveInfo[Any]) -> Any:
        return function(strawberry.Info(_raw_info=info, _field=field))

    return resolve
