"""Queries of identity providers."""

import strawberry

from domain.providers import MAX_PROVIDERS
from graphql_schema.context import Info
from graphql_schema.engine.costs import LIST_QUERY, cost
from graphql_schema.types.identities import Provider


@strawberry.field(
    metadata=cost(LIST_QUERY, entries=MAX_PROVIDERS),
    description="The identity providers that users can sign in with, in the order of their buttons.",
)
def providers(info: Info) -> list[Provider]:
    return [Provider.of(provider) for provider in info.context.services.providers.values()]
