"""The mutation that proves again who the caller is."""

from typing import Annotated

import strawberry

from domain import authentication
from domain.sessions.refresh_tokens import RefreshToken
from graphql_schema.context import Info
from graphql_schema.engine.costs import PASSWORD_HASH, cost
from graphql_schema.types.passkeys import PasskeyAnswer
from graphql_schema.types.token import Token


@strawberry.input(one_of=True, description="What proves who you are: one of these.")
class ReauthenticateInput:
    password: strawberry.Maybe[str] = strawberry.field(
        description="The current password, of an account without an authenticator app."
    )
    code: strawberry.Maybe[str] = strawberry.field(
        description="Six digits of the authenticator app, or a recovery code. Each works once."
    )
    passkey: strawberry.Maybe[PasskeyAnswer] = strawberry.field(
        description="The answer of one of your passkeys to `startPasskeySignIn`."
    )

    # A repr could put the password into a log.
    __repr__ = object.__repr__


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Proves again who you are, which allows sensitive changes for some minutes, and returns the next tokens of"
    " this session: go on with them. Earlier access tokens do not allow these changes, and earlier refresh tokens stop"
    " working: at once, or in a cookie as after a `refresh`. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED if it takes another method,"
    " INVALID_CREDENTIALS, PASSWORD_RESET_REQUIRED, INVALID_CODE, TOO_MANY_ATTEMPTS, OVERLOADED, NOT_CONFIGURED.",
)
async def reauthenticate(
    info: Info,
    input: Annotated[ReauthenticateInput, strawberry.argument(description="The proof.")],
) -> Token:
    services, device = info.context.services, info.context.device
    caller = info.context.caller(needs_second_factor=False)
    browser = info.context.browser_session
    refresh_token = RefreshToken.parse(browser.refresh_token or "") if browser else None
    if input.password:
        signed_in = await authentication.reauthenticate_by_password(
            services, device, caller, password=input.password.value, refresh_token=refresh_token
        )
    elif input.passkey:
        answer = input.passkey.value
        signed_in = await authentication.reauthenticate_by_passkey(
            services,
            device,
            caller,
            ticket=answer.ticket,
            credential=answer.credential,
            refresh_token=refresh_token,
        )
    else:
        assert input.code
        signed_in = await authentication.reauthenticate_by_code(
            services, device, caller, code=input.code.value, refresh_token=refresh_token
        )
    return Token.of(signed_in, info.context.browser_session)
