"""The queries: a table of contents."""

import strawberry

from graphql_schema.queries import accounts, federation, posts, providers, users


@strawberry.type(description="All queries.")
class Query:
    me = users.me
    user = users.user
    post = posts.post
    posts = posts.posts
    providers = providers.providers
    account = accounts.account
    accounts = accounts.accounts


@strawberry.type(name="Query", description="All queries.")
class SubgraphQuery(Query):
    """With what a gateway of Apollo Federation reads."""

    entities = federation.entities
    service = federation.service
