"""Mutations that change an email."""

from typing import Annotated

import strawberry

from domain import accounts
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, PASSWORD_HASH, cost
from graphql_schema.mutations.passwords import CurrentPassword
from graphql_schema.types.mail_requests import MailRequest
from graphql_schema.types.private_user import PrivateUser


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Sends a code and a link to a new email, to make it that of your account. Until `confirmEmailChange`,"
    " nothing changes. The answer is the same if another account has the email, which then gets no mail. The link leads"
    " to `change-email#token=` at `APP_URL`. You can ignore `ticket`: `confirmEmailChange` knows you."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, INVALID_INPUT, REAUTHENTICATION_REQUIRED, INVALID_CREDENTIALS, PASSWORD_RESET_REQUIRED,"
    " TOO_MANY_ATTEMPTS, OVERLOADED, MAIL_NOT_CONFIGURED.",
)
async def request_email_change(
    info: Info,
    new_email: Annotated[
        str,
        strawberry.argument(
            description="A valid email address. It is stored in lower case, without blanks around it."
        ),
    ],
    current_password: CurrentPassword = None,
) -> MailRequest:
    request = await accounts.request_email_change(
        info.context.services,
        info.context.device,
        info.context.caller(needs_second_factor=False),
        new_email=new_email,
        current_password=current_password,
    )
    return MailRequest.of(request)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Changes your email to the one that the code was sent to, which is then verified. The former email gets"
    " a link to undo the change. After five wrong codes, the code and its link are dead."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, INVALID_CODE, INVALID_INPUT, EMAIL_TAKEN, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def confirm_email_change(
    info: Info,
    code: Annotated[
        str,
        strawberry.argument(
            description="The six digits of the newest mail, or the token of its link."
        ),
    ],
) -> PrivateUser:
    caller = info.context.caller(needs_second_factor=False)
    user = await accounts.confirm_email_change(
        info.context.services, info.context.device, caller, code=code
    )
    return PrivateUser.of(user, caller)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Restores the email that an account had before a change, ends all sessions of the user, and returns how"
    " many ended. The password is removed, and the email gets a link to set a new one."
    " Errors: INVALID_CODE, EMAIL_TAKEN, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def undo_email_change(
    info: Info,
    token: Annotated[
        str,
        strawberry.argument(
            description="The token of the link in the mail to the former email. It works once, for a day."
        ),
    ],
) -> int:
    return await accounts.undo_email_change(info.context.services, info.context.device, token=token)
