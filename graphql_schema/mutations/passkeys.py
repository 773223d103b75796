"""Mutations that add, use and remove passkeys."""

from typing import Annotated

import strawberry

from domain import authentication
from graphql_schema.context import Info
from graphql_schema.engine.costs import PASSKEY, cost
from graphql_schema.ids import as_uuid
from graphql_schema.types.passkeys import Passkey, PasskeyAnswer, PasskeyRequest
from graphql_schema.types.token import Token

PasskeyId = Annotated[strawberry.ID, strawberry.argument(description="The passkey's id.")]


@strawberry.mutation(
    metadata=cost(PASSKEY),
    description="Begins to add a passkey to your account: give `options` to `navigator.credentials.create`, and its answer"
    " to `finishPasskey`, in the same session."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, EMAIL_NOT_VERIFIED, QUOTA_EXCEEDED,"
    " TOO_MANY_ATTEMPTS, NOT_CONFIGURED.",
)
async def start_passkey(info: Info) -> PasskeyRequest:
    request = await authentication.start_passkey(
        info.context.services,
        info.context.device,
        info.context.caller(needs_second_factor=False),
    )
    return PasskeyRequest.of(request)


@strawberry.mutation(
    metadata=cost(PASSKEY),
    description="Adds a passkey to your account, which then signs in without a password."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, INVALID_CODE, INVALID_INPUT, QUOTA_EXCEEDED, NOT_CONFIGURED.",
)
async def finish_passkey(
    info: Info,
    answer: Annotated[
        PasskeyAnswer,
        strawberry.argument(description="The answer of the browser to `startPasskey`."),
    ],
    name: Annotated[
        str | None,
        strawberry.argument(
            description="1 to 100 characters on one line. By default the name of the device."
        ),
    ] = None,
) -> Passkey:
    passkey = await authentication.finish_passkey(
        info.context.services,
        info.context.device,
        info.context.caller(needs_second_factor=False),
        ticket=answer.ticket,
        credential=answer.credential,
        name=name,
    )
    return Passkey.of(passkey)


@strawberry.mutation(
    metadata=cost(PASSKEY),
    description="Begins a sign-in with a passkey, which the user chooses: give `options` to `navigator.credentials.get`, on"
    ' a button or as `mediation: "conditional"`, and its answer to `signInByPasskey`.'
    " Errors: TOO_MANY_ATTEMPTS, NOT_CONFIGURED.",
)
async def start_passkey_sign_in(info: Info) -> PasskeyRequest:
    request = await authentication.start_passkey_sign_in(info.context.services, info.context.device)
    return PasskeyRequest.of(request)


@strawberry.mutation(
    metadata=cost(PASSKEY),
    description="Signs in with a passkey and starts a session. A passkey is both factors, so no code is asked for."
    " If no account has the passkey, the error has `extensions.unknownCredential`."
    " Errors: INVALID_CODE, ACCOUNT_DISABLED, TOO_MANY_ATTEMPTS, NOT_CONFIGURED.",
)
async def sign_in_by_passkey(
    info: Info,
    answer: Annotated[
        PasskeyAnswer,
        strawberry.argument(description="The answer of the browser to `startPasskeySignIn`."),
    ],
) -> Token:
    signed_in = await authentication.sign_in_by_passkey(
        info.context.services,
        info.context.device,
        ticket=answer.ticket,
        credential=answer.credential,
    )
    return Token.of(signed_in, info.context.browser_session)


@strawberry.mutation(
    description="Renames one of your passkeys."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, NOT_FOUND, INVALID_INPUT, TOO_MANY_ATTEMPTS."
)
async def rename_passkey(
    info: Info,
    id: PasskeyId,
    name: Annotated[str, strawberry.argument(description="1 to 100 characters on one line.")],
) -> Passkey:
    passkey = await authentication.rename_passkey(
        info.context.services,
        info.context.device,
        info.context.caller(),
        as_uuid(id),
        name=name,
    )
    return Passkey.of(passkey)


@strawberry.mutation(
    description="Removes one of your passkeys, and returns its id. The last one stays while your account has no password,"
    " or while it is the only second factor and the server requires one."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, NOT_FOUND, INVALID_INPUT."
)
async def remove_passkey(info: Info, id: PasskeyId) -> strawberry.ID:
    await authentication.remove_passkey(
        info.context.services, info.context.device, info.context.caller(), as_uuid(id)
    )
    return id
