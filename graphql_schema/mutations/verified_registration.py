"""Mutations that register an account once its email is proven."""

from typing import Annotated

import strawberry

from domain import accounts
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, PASSWORD_HASH, cost
from graphql_schema.mutations.accounts import NewAccount
from graphql_schema.types.mail_requests import MailRequest
from graphql_schema.types.token import Token


@strawberry.input(description="A new account whose email is proven first.")
class StartRegistrationInput(NewAccount):
    password: str | None = strawberry.field(
        description="8 to 128 characters. Case and blanks count. Common passwords are refused. Without one, add a passkey"
        " right after `finishRegistration`, or sign in by mail.",
        default=None,
    )

    __repr__ = object.__repr__


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Sends a code to the email of a new account. The account is created by `finishRegistration`."
    " The answer is the same if the email has an account: its owner is then told by mail. The link in the mail leads to"
    " `sign-up#code=` at `APP_URL`. Errors: REGISTRATION_CLOSED, INVALID_INPUT, CAPTCHA_REQUIRED, TOO_MANY_ATTEMPTS, OVERLOADED,"
    " MAIL_NOT_CONFIGURED.",
)
async def start_registration(
    info: Info,
    input: Annotated[StartRegistrationInput, strawberry.argument(description="The new account.")],
) -> MailRequest:
    request = await accounts.start_registration(
        info.context.services,
        info.context.device,
        username=input.username,
        email=input.email,
        password=input.password,
        captcha=info.context.captcha_token,
    )
    return MailRequest.of(request)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Creates the account of `startRegistration`, with its email verified, and signs in to it."
    " After five wrong codes, the ticket is dead. A username that is taken does not use the code: call this again with"
    " another one. Errors: REGISTRATION_CLOSED, INVALID_CODE, INVALID_INPUT, USERNAME_TAKEN, EMAIL_TAKEN if the email has got an account in"
    " the meantime, TOO_MANY_ATTEMPTS, MAIL_NOT_CONFIGURED.",
)
async def finish_registration(
    info: Info,
    ticket: Annotated[
        str, strawberry.argument(description="The `ticket` that `startRegistration` returned.")
    ],
    code: Annotated[str, strawberry.argument(description="The six digits of the mail.")],
    username: Annotated[
        str | None,
        strawberry.argument(
            description="Another username than that of `startRegistration`, if that is taken."
        ),
    ] = None,
) -> Token:
    signed_in = await accounts.finish_registration(
        info.context.services,
        info.context.device,
        ticket=ticket,
        code=code,
        username=username,
    )
    return Token.of(signed_in, info.context.browser_session)
