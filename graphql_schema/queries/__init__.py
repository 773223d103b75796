"""The queries: a table of contents."""

import strawberry

from graphql_schema.queries import accounts, posts, providers, users


@strawberry.type(description="All queries.")
class Query:
    me = users.me
    user = users.user
    post = posts.post
    posts = posts.posts
    providers = providers.providers
    account = accounts.account
    accounts = accounts.accounts
