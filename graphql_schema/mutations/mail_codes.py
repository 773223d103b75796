"""Mutations that sign in with a code by mail."""

from typing import Annotated

import strawberry

from domain import authentication
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, cost
from graphql_schema.types.mail_requests import MailRequest
from graphql_schema.types.token import Token


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Sends a code to sign in to the user with this email. The answer is the same if no user has it."
    " The link in the mail leads to `login-by-code#code=` at `APP_URL`, and merely fills in the code."
    " Errors: INVALID_INPUT, CAPTCHA_REQUIRED, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def request_sign_in(
    info: Info,
    email: Annotated[str, strawberry.argument(description="The email of the account.")],
) -> MailRequest:
    request = await authentication.request_sign_in(
        info.context.services,
        info.context.device,
        email=email,
        captcha=info.context.captcha_token,
    )
    return MailRequest.of(request)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Signs in with the code of a mail and starts a session. After five wrong codes, the ticket is dead."
    " It verifies the email. If the email was not verified before, all earlier sessions end and the password is"
    " removed, because someone else may have made the account: see `hasPassword`."
    " Errors: INVALID_CODE, SECOND_FACTOR_REQUIRED, ACCOUNT_DISABLED, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def sign_in_by_mail(
    info: Info,
    ticket: Annotated[
        str, strawberry.argument(description="The `ticket` that `requestSignIn` returned.")
    ],
    code: Annotated[
        str,
        strawberry.argument(
            description="The six digits of the mail. They work once, for ten minutes."
        ),
    ],
) -> Token:
    signed_in = await authentication.sign_in_by_mail(
        info.context.services, info.context.device, ticket=ticket, code=code
    )
    return Token.of(signed_in, info.context.browser_session)
