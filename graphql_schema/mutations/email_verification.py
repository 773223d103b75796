"""Mutations that verify an email."""

from typing import Annotated

import strawberry

from domain import accounts
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, cost
from graphql_schema.types.mail_requests import MailRequest
from graphql_schema.types.private_user import PrivateUser


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Sends a code and a link to your email, to verify it. The link leads to `verify-email#token=` at"
    " `APP_URL`. You can ignore `ticket`: `verifyEmail` knows you."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, INVALID_INPUT if the email is verified already, TOO_MANY_ATTEMPTS,"
    " MAIL_NOT_CONFIGURED.",
)
async def request_email_verification(info: Info) -> MailRequest:
    request = await accounts.request_email_verification(
        info.context.services, info.context.device, info.context.caller(needs_second_factor=False)
    )
    return MailRequest.of(request)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Verifies your email. After five wrong codes, the code and its link are dead."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, INVALID_CODE, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def verify_email(
    info: Info,
    code: Annotated[
        str,
        strawberry.argument(
            description="The six digits of the newest mail, or the token of the link in a mail."
        ),
    ],
) -> PrivateUser:
    caller = info.context.caller(needs_second_factor=False)
    user = await accounts.verify_email(
        info.context.services, info.context.device, caller, code=code
    )
    return PrivateUser.of(user, caller)
