"""Mutations of sessions."""

from typing import Annotated

import strawberry

from domain import authentication, sessions
from domain.access_tokens.tokens import Caller
from domain.errors import Unauthenticated
from domain.sessions import LoginMethod
from domain.sessions.refresh_tokens import RefreshToken
from graphql_schema.browser_session import IN_COOKIE, BrowserSession
from graphql_schema.context import Context, Info
from graphql_schema.engine.costs import PASSWORD_HASH, cost
from graphql_schema.ids import as_uuid
from graphql_schema.types.token import Token


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Signs in and starts a session. Errors: INVALID_CREDENTIALS, SECOND_FACTOR_REQUIRED, ACCOUNT_DISABLED,"
    " PASSWORD_RESET_REQUIRED, TOO_MANY_ATTEMPTS, OVERLOADED.",
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
    return Token.of(signed_in, info.context.browser_session)


@strawberry.mutation(
    description="Exchanges a refresh token for a new access token and the next refresh token."
    " If the response is lost, the same refresh token returns the same successor until that has been used; used again"
    " later, it ends its session. Errors: UNAUTHENTICATED, TOO_MANY_ATTEMPTS."
)
async def refresh(
    info: Info,
    refresh_token: Annotated[
        str,
        strawberry.argument(
            description="The `refreshToken` of the last Token. The word `cookie` stands for the one in the cookie."
        ),
    ],
) -> Token:
    context, browser = info.context, info.context.browser_session
    if refresh_token != IN_COOKIE or browser is None:
        signed_in = await sessions.refresh(context.services, context.device, refresh_token)
    else:
        with browser.forgotten_if_invalid():
            signed_in = await sessions.refresh(
                context.services, context.device, browser.refresh_token or ""
            )
    return Token.of(signed_in, browser)


@strawberry.mutation(
    description="Ends the session of this request with all of its tokens, and returns the session's id."
    " With a refresh token in the cookie, it needs no access token and ends the session of the cookie too."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED."
)
async def logout(info: Info) -> strawberry.ID:
    context, browser = info.context, info.context.browser_session or BrowserSession()
    refresh_token = RefreshToken.parse(browser.refresh_token or "")
    with browser.forgotten_if_invalid():
        session_id = await sessions.log_out(
            context.services, context.device, _caller(context, refresh_token), refresh_token
        )
    browser.forget()
    return strawberry.ID(str(session_id))


@strawberry.mutation(
    description="Ends all your sessions and returns how many ended. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN."
)
async def logout_everywhere(
    info: Info,
    except_this: Annotated[
        bool | None, strawberry.argument(description="Whether this session stays active.")
    ] = False,
) -> int:
    ended = await sessions.end_all(
        info.context.services,
        info.context.device,
        info.context.caller(needs_second_factor=False),
        except_this=bool(except_this),
    )
    if (browser := info.context.browser_session) and not except_this:
        browser.forget()
    return ended


@strawberry.mutation(
    description="Ends one of your sessions and returns its id. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, NOT_FOUND."
)
async def end_session(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The session's id.")],
) -> strawberry.ID:
    await sessions.end(
        info.context.services,
        info.context.device,
        info.context.caller(needs_second_factor=False),
        as_uuid(id),
    )
    return id


def _caller(context: Context, refresh_token: RefreshToken | None) -> Caller | None:
    """Return the caller, or None if the refresh token is enough."""
    try:
        return context.caller(needs_second_factor=False)
    except Unauthenticated:
        if refresh_token is None:
            raise
        return None
