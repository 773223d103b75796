"""The answer to a sign-in."""

from typing import Self

import strawberry

from domain.sessions import SignedIn
from graphql_schema.browser_session import IN_COOKIE, BrowserSession
from graphql_schema.types.private_user import PrivateUser


@strawberry.type(description="The tokens of a session, and its user.")
class Token:
    access_token: str = strawberry.field(
        description="Send it in the header `Authorization: Bearer <accessToken>`."
    )
    token_type: str = strawberry.field(description="Always `bearer` (RFC 6750).")
    expires_in: int = strawberry.field(
        description="The number of seconds until the access token expires."
    )
    refresh_token: str = strawberry.field(
        description="Exchange it with `refresh`, once, for the next Token. Store it where other scripts cannot read it."
        " For a request with the header `Gatehouse-Session: cookie`, it is in a cookie, and this is the word `cookie`."
    )
    user: PrivateUser = strawberry.field(description="The user who signed in.")

    @classmethod
    def of(cls, signed_in: SignedIn, browser: BrowserSession | None) -> Self:
        """Return the tokens, without the refresh token if the browser keeps it. It keeps none of an
        impersonated session, which would replace the administrator's own."""
        if signed_in.impersonator_id is not None:
            browser = None
        if browser:
            browser.keep(signed_in)
        return cls(
            access_token=signed_in.access_token.value,
            token_type="bearer",
            expires_in=signed_in.access_token.expires_in,
            refresh_token=IN_COOKIE if browser else signed_in.refresh_token.value,
            user=PrivateUser.of(signed_in.user, signed_in.caller),
        )

    # A repr could put the tokens into a log.
    __repr__ = object.__repr__
