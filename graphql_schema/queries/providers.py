"""Queries of identity providers."""

import strawberry

from graphql_schema.context import Info
from graphql_schema.types.identities import Provider


@strawberry.field(
    description="The identity providers that users can sign in with, in the order of their buttons."
)
def providers(info: Info) -> list[Provider]:
    return [Provider.of(provider) for provider in info.context.services.providers.values()]
