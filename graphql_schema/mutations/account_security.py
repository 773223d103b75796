"""Mutations for owners of accounts that someone else has used."""

from typing import Annotated

import strawberry

from domain import accounts
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, cost


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Ends all sessions of the user who was sent this token in a security notice, removes passkeys and a"
    " first authenticator app that notices of the last four days have reported as added, sends the user a link to reset their password, and returns"
    " how many sessions ended. It needs no access token. The link in the notice leads to"
    " `secure-account#token=` at `APP_URL`."
    " Errors: INVALID_CODE, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def secure_account(
    info: Info,
    token: Annotated[
        str,
        strawberry.argument(description="The token of the link. It works once, for four days."),
    ],
) -> int:
    return await accounts.secure_account(info.context.services, info.context.device, token=token)
