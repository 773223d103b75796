"""Mutations of passwords."""

from typing import Annotated

import strawberry

from domain import accounts
from graphql_schema.context import Info
from graphql_schema.engine.costs import PASSWORD_HASH, cost
from graphql_schema.types.token import Token


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Changes your password, ends all your sessions including this one, and returns tokens for a new session."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, INVALID_INPUT, INVALID_CREDENTIALS, TOO_MANY_ATTEMPTS, OVERLOADED.",
)
async def change_password(
    info: Info,
    current_password: Annotated[str, strawberry.argument(description="The current password.")],
    new_password: Annotated[
        str,
        strawberry.argument(
            description="8 to 128 characters. Case and blanks count. Common passwords are refused."
        ),
    ],
) -> Token:
    signed_in = await accounts.change_password(
        info.context.services,
        info.context.device,
        info.context.caller(),
        current_password=current_password,
        new_password=new_password,
    )
    return Token.of(signed_in, info.context.browser_session)
