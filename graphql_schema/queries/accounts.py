"""Queries of accounts, for those who have a role."""

from typing import Annotated

import strawberry

from domain import admin
from domain.pagination import PageRequest
from domain.roles import Role
from graphql_schema.connections import After, Connection, First, connection
from graphql_schema.context import Info
from graphql_schema.engine.costs import LIST_QUERY, cost
from graphql_schema.ids import as_uuid
from graphql_schema.types.accounts import Account


@strawberry.field(
    metadata=cost(LIST_QUERY),
    description="The accounts of all users, newest first, or with `search` in the order of usernames, then of emails."
    " For ADMIN and SUPPORT. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, SECOND_FACTOR_SETUP_REQUIRED, INVALID_INPUT.",
)
async def accounts(
    info: Info,
    search: Annotated[
        str | None,
        strawberry.argument(
            description="The beginning of a username or of an email, in any case, or an id. Letters that look alike in"
            " usernames are the same."
        ),
    ] = None,
    role: Annotated[
        Role | None, strawberry.argument(description="Only accounts that have this role.")
    ] = None,
    disabled: Annotated[
        bool | None,
        strawberry.argument(
            description="Only accounts that are disabled, or only those that are not."
        ),
    ] = None,
    first: First = 20,
    after: After = None,
) -> Connection[Account]:
    caller, page_request = info.context.caller(), PageRequest.of(first, after)
    async with info.context.database.reading() as session:
        page = await admin.list_accounts(
            session,
            info.context.services,
            caller,
            page_request,
            search=search,
            role=role,
            disabled=disabled,
        )
    return connection(page, lambda user: Account.of(user, caller))


@strawberry.field(
    description="The account of a user, or null if there is no such user. For ADMIN and SUPPORT."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, SECOND_FACTOR_SETUP_REQUIRED."
)
async def account(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The user's id.")],
) -> Account | None:
    caller = info.context.caller()
    async with info.context.database.reading() as session:
        user = await admin.get_account(session, info.context.services, caller, as_uuid(id))
    return Account.of(user, caller) if user else None
