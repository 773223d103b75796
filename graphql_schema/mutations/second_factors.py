"""Mutations of second factors."""

from typing import Annotated

import strawberry

from domain import authentication
from domain.authentication.recovery_codes import NUMBER as NUMBER_OF_RECOVERY_CODES
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, cost
from graphql_schema.types.factors import TotpSetup
from graphql_schema.types.private_user import PrivateUser
from graphql_schema.types.token import Token


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Completes a sign-in that was answered with SECOND_FACTOR_REQUIRED, and starts a session."
    " Errors: INVALID_CODE, ACCOUNT_DISABLED, TOO_MANY_ATTEMPTS, NOT_CONFIGURED.",
)
async def pass_second_factor(
    info: Info,
    ticket: Annotated[
        str,
        strawberry.argument(description="The `ticket` in `extensions.challenge` of the error."),
    ],
    code: Annotated[
        str,
        strawberry.argument(
            description="Six digits of the authenticator app, or a recovery code. Each works once."
        ),
    ],
) -> Token:
    signed_in = await authentication.pass_second_factor(
        info.context.services, info.context.device, ticket=ticket, code=code
    )
    return Token.of(signed_in, info.context.browser_session)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Returns the secret of a new authenticator app. Until `confirmTotp`, nothing changes and an earlier app"
    " keeps working. For ten minutes, the answer is the same in the same session."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, EMAIL_NOT_VERIFIED, NOT_CONFIGURED.",
)
async def start_totp(info: Info) -> TotpSetup:
    setup = await authentication.start_totp(
        info.context.services,
        info.context.device,
        info.context.caller(needs_second_factor=False),
    )
    return TotpSetup.of(setup)


@strawberry.mutation(
    metadata=cost(MAIL, entries=NUMBER_OF_RECOVERY_CODES),
    description="Takes the authenticator app of `startTotp` into use, in place of an earlier one, and ends all your other"
    " sessions. Returns ten recovery codes, which are shown only here. Access tokens say so from the next `refresh` on."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, INVALID_CODE, TOO_MANY_ATTEMPTS, NOT_CONFIGURED.",
)
async def confirm_totp(
    info: Info,
    code: Annotated[str, strawberry.argument(description="The six digits that the app shows.")],
) -> list[str]:
    return await authentication.confirm_totp(
        info.context.services,
        info.context.device,
        info.context.caller(needs_second_factor=False),
        code=code,
    )


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Removes your authenticator app and the recovery codes. Where the server requires a second factor, the"
    " only one stays."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, NOT_FOUND, INVALID_INPUT.",
)
async def remove_totp(info: Info) -> PrivateUser:
    caller = info.context.caller()
    user = await authentication.remove_authenticator_app(
        info.context.services, info.context.device, caller
    )
    return PrivateUser.of(user, caller)


@strawberry.mutation(
    metadata=cost(MAIL, entries=NUMBER_OF_RECOVERY_CODES),
    description="Replaces your recovery codes and returns the ten new ones, which are shown only here."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, NOT_FOUND.",
)
async def replace_recovery_codes(info: Info) -> list[str]:
    return await authentication.replace_recovery_codes(
        info.context.services, info.context.device, info.context.caller()
    )
