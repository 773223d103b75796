"""Mutations of sessions."""

from typing import Annotated

import strawberry

from domain import authentication, sessions
from domain.sessions import LoginMethod
from graphql_schema.context import Info
from graphql_schema.engine.costs import PASSWORD_HASH, cost
from graphql_schema.ids import as_uuid
from graphql_schema.types.token import Token


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Signs in and starts a session. Errors: INVALID_CREDENTIALS, TOO_MANY_ATTEMPTS, OVERLOADED.",
)
async def login(
    info: Info,
    username: Annotated[
        str,
        strawberry.argument(
            description="The username or the email, in any case. Blanks around it are ignored."
        ),
    ],
    password: Annotated[str, strawberry.argument(description="The password.")],
) -> Token:
    signed_in = await authentication.log_in(
        info.context.services,
        info.context.device,
        login=username,
        password=password,
        method=LoginMethod.LOGIN,
    )
    return Token.of(signed_in)


@strawberry.mutation(
    description="Exchanges a refresh token for a new access token and the next refresh token."
    " If the response is lost, the same refresh token returns the same successor until that has been used; used again"
    " later, it ends its session. Errors: UNAUTHENTICATED, TOO_MANY_ATTEMPTS."
)
async def refresh(
    info: Info,
    refresh_token: Annotated[
        str, strawberry.argument(description="The `refreshToken` of the last Token.")
    ],
) -> Token:
    return Token.of(
        await sessions.refresh(info.context.services, info.context.device, refresh_token)
    )


@strawberry.mutation(
    description="Ends the session of this request with all of its tokens, and returns the session's id."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED."
)
async def logout(info: Info) -> strawberry.ID:
    caller = info.context.caller()
    await sessions.log_out(info.context.services, info.context.device, caller)
    return strawberry.ID(str(caller.session_id))


@strawberry.mutation(
    description="Ends all your sessions and returns how many ended. Errors: UNAUTHENTICATED, TOKEN_EXPIRED."
)
async def logout_everywhere(
    info: Info,
    except_this: Annotated[
        bool | None, strawberry.argument(description="Whether this session stays active.")
    ] = False,
) -> int:
    return await sessions.end_all(
        info.context.services,
        info.context.device,
        info.context.caller(),
        except_this=bool(except_this),
    )


@strawberry.mutation(
    description="Ends one of your sessions and returns its id. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, NOT_FOUND."
)
async def end_session(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The session's id.")],
) -> strawberry.ID:
    await sessions.end(
        info.context.services, info.context.device, info.context.caller(), as_uuid(id)
    )
    return id
