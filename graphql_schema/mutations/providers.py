"""Mutations of sign-ins with an identity provider."""

from typing import Annotated

import strawberry

from domain import accounts
from domain.authentication import providers
from graphql_schema.context import Info
from graphql_schema.engine.costs import MAIL, cost
from graphql_schema.ids import as_uuid
from graphql_schema.types.identities import Identity
from graphql_schema.types.token import Token

Code = Annotated[
    str,
    strawberry.argument(
        description="The `code` that the provider's callback added to your address. It works once, for a minute."
    ),
]

Verifier = Annotated[
    str,
    strawberry.argument(
        description="The verifier whose SHA-256 was the `code_challenge` (RFC 7636). After five wrong ones, the code is dead."
    ),
]


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Signs in after a provider's callback. For a new account it asks for a username: INVALID_INPUT with"
    " `extensions.suggestedUsername`; call it again with one, within ten minutes. A taken username leaves the code good."
    " Errors: INVALID_CODE, SECOND_FACTOR_REQUIRED, ACCOUNT_DISABLED, REGISTRATION_CLOSED, INVALID_INPUT, USERNAME_TAKEN, EMAIL_TAKEN if an account has the email"
    " and the provider does not say that it is verified, EMAIL_NOT_VERIFIED, QUOTA_EXCEEDED, TOO_MANY_ATTEMPTS.",
)
async def finish_sign_in(
    info: Info,
    code: Code,
    code_verifier: Verifier,
    username: Annotated[
        str | None, strawberry.argument(description="The username of a new account.")
    ] = None,
) -> Token:
    signed_in = await accounts.finish_sign_in(
        info.context.services,
        info.context.device,
        code=code,
        code_verifier=code_verifier,
        username=username,
    )
    return Token.of(signed_in, info.context.browser_session)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Begins to link an account at a provider to yours, and returns the address to send the browser to."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, NOT_FOUND, INVALID_INPUT, TOO_MANY_ATTEMPTS.",
)
async def start_linking(
    info: Info,
    provider: Annotated[str, strawberry.argument(description="The `name` of the provider.")],
    redirect_to: Annotated[
        str,
        strawberry.argument(
            description="Where to return to, with a `code` or an `error`: an address of REDIRECT_ALLOWLIST."
        ),
    ],
    code_challenge: Annotated[
        str,
        strawberry.argument(
            description="The SHA-256 of a verifier of yours, in base64url (RFC 7636)."
        ),
    ],
) -> str:
    services = info.context.services
    state = await providers.start_linking(
        services,
        info.context.device,
        info.context.caller(),
        provider=provider,
        redirect_to=redirect_to,
        code_challenge=code_challenge,
    )
    return f"{services.access_tokens.issuer}/sign-in/{provider}?state={state}"


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Links the account at a provider after its callback, in the session that has called `startLinking`."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, INVALID_CODE, INVALID_INPUT if it is linked to another user, QUOTA_EXCEEDED,"
    " TOO_MANY_ATTEMPTS.",
)
async def finish_linking(info: Info, code: Code, code_verifier: Verifier) -> Identity:
    identity = await providers.finish_linking(
        info.context.services,
        info.context.device,
        info.context.caller(),
        code=code,
        code_verifier=code_verifier,
    )
    return Identity.of(identity)


@strawberry.mutation(
    metadata=cost(MAIL),
    description="Removes an account at a provider from yours, and returns its id."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, NOT_FOUND, INVALID_INPUT if nothing else would be"
    " left to sign in with.",
)
async def unlink(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The id of the Identity.")],
) -> strawberry.ID:
    await providers.unlink(
        info.context.services, info.context.device, info.context.caller(), as_uuid(id)
    )
    return id
