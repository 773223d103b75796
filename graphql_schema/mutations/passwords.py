"""Mutations of passwords."""

from typing import Annotated

import strawberry

from domain import accounts
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, PASSWORD_HASH, cost
from graphql_schema.types.mail_requests import MailRequest
from graphql_schema.types.token import Token

CurrentPassword = Annotated[
    str | None,
    strawberry.argument(
        description="The current password. Not needed after a recent proof of who you are."
    ),
]

NewPassword = Annotated[
    str,
    strawberry.argument(
        description="8 to 128 characters. Case and blanks count. Common passwords are refused."
    ),
]


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Changes your password, ends all your sessions including this one, and returns tokens for a new session."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, INVALID_INPUT, INVALID_CREDENTIALS, PASSWORD_RESET_REQUIRED, TOO_MANY_ATTEMPTS, OVERLOADED.",
)
async def change_password(
    info: Info,
    new_password: NewPassword,
    current_password: CurrentPassword = None,
) -> Token:
    signed_in = await accounts.change_password(
        info.context.services,
        info.context.device,
        info.context.caller(),
        current_password=current_password,
        new_password=new_password,
    )
    return Token.of(signed_in, info.context.browser_session)


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Sets the password of your account, which has none, ends all your sessions including this one, and returns"
    " tokens for a new session. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, INVALID_INPUT,"
    " TOO_MANY_ATTEMPTS, OVERLOADED.",
)
async def set_password(info: Info, new_password: NewPassword) -> Token:
    signed_in = await accounts.set_password(
        info.context.services,
        info.context.device,
        info.context.caller(),
        new_password=new_password,
    )
    return Token.of(signed_in, info.context.browser_session)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Sends a link to reset the password to the user with this email."
    " The answer is the same if no user has it. The link leads to `reset-password#token=` at `APP_URL`."
    " Errors: INVALID_INPUT, CAPTCHA_REQUIRED, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def request_password_reset(
    info: Info,
    email: Annotated[str, strawberry.argument(description="The email of the account.")],
) -> MailRequest:
    request = await accounts.request_password_reset(
        info.context.services,
        info.context.device,
        email=email,
        captcha=info.context.captcha_token,
    )
    return MailRequest.of(request)


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Replaces a forgotten password, ends all sessions of the user, and returns how many ended."
    " It does not sign in: call `login` afterwards. An invalid password does not use the token."
    " Errors: INVALID_CODE, INVALID_INPUT, TOO_MANY_ATTEMPTS, OVERLOADED, NOT_CONFIGURED.",
)
async def reset_password(
    info: Info,
    token: Annotated[
        str,
        strawberry.argument(description="The token of the link. It works once, for ten minutes."),
    ],
    new_password: NewPassword,
) -> int:
    return await accounts.reset_password(
        info.context.services, info.context.device, token=token, new_password=new_password
    )
