"""Mutations of accounts."""

from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from domain import accounts
from domain.accounts import ProfileChanges
from graphql_schema.context import Info
from graphql_schema.engine.costs import EXPORT, PASSWORD_HASH, cost
from graphql_schema.mutations.passwords import CurrentPassword
from graphql_schema.types.exports import exported
from graphql_schema.types.private_user import PrivateUser
from graphql_schema.types.token import Token


@strawberry.input
class NewAccount:
    username: str = strawberry.field(
        description="3 to 32 characters: the letters a to z, digits, and single dots, hyphens or underscores between"
        " them. Keeps its case, without blanks around it. Two names that look the same count as one."
    )
    email: str = strawberry.field(
        description="A valid email address. It is stored in lower case, without blanks around it."
    )


@strawberry.input(description="A new account.")
class RegisterInput(NewAccount):
    password: str = strawberry.field(
        description="8 to 128 characters. Case and blanks count. Common passwords are refused."
    )

    # A repr could put the password into a log.
    __repr__ = object.__repr__


@strawberry.input(description="Changes to your account. A field that is left out stays as it is.")
class UpdateMeInput:
    username: strawberry.Maybe[str] = strawberry.field(
        description="The new username.", default=None
    )
    email: strawberry.Maybe[str] = strawberry.field(
        description="The new email, on a server that sends no mail. Others use `requestEmailChange`.",
        default=None,
    )
    image_file: strawberry.Maybe[str | None] = strawberry.field(
        description="The new image that is stored elsewhere: a file name or an http or https URL, which a server may refuse."
        " Null removes it. `PUT /me/picture` uploads a picture.",
        default=None,
    )
    locale: strawberry.Maybe[str] = strawberry.field(
        description="The new language of mails: a tag such as `de` or `de-AT` (BCP 47).",
        default=None,
    )
    current_password: str | None = strawberry.field(
        description="The current password. Needed to change the email, except after a recent proof of who you are.",
        default=None,
    )

    __repr__ = object.__repr__

    def changes(self) -> ProfileChanges:
        changes = ProfileChanges()
        if self.username:
            changes["username"] = self.username.value
        if self.email:
            changes["email"] = self.email.value
        if self.image_file:
            changes["image_file"] = self.image_file.value
        if self.locale:
            changes["locale"] = self.locale.value
        return changes


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Creates an account, signs in to it, and sends a code to verify the email, if the server sends mail."
    " With an invitation, the email is verified. Errors: REGISTRATION_CLOSED where accounts are created by invitation or not"
    " at all, EMAIL_NOT_VERIFIED where only `startRegistration` creates accounts, INVALID_INPUT, INVALID_CODE for the"
    " invitation, CAPTCHA_REQUIRED, USERNAME_TAKEN, EMAIL_TAKEN, TOO_MANY_ATTEMPTS, OVERLOADED.",
)
async def register(
    info: Info,
    input: Annotated[RegisterInput, strawberry.argument(description="The new account.")],
    invitation: Annotated[
        str | None,
        strawberry.argument(
            description="The token of the link in an invitation. It works once, for seven days, and for its email only."
        ),
    ] = None,
) -> Token:
    signed_in = await accounts.register(
        info.context.services,
        info.context.device,
        username=input.username,
        email=input.email,
        password=input.password,
        captcha=info.context.captcha_token,
        invitation=invitation,
    )
    return Token.of(signed_in, info.context.browser_session)


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Changes your account: all of the given fields or, on an error, none."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, INVALID_INPUT, USERNAME_TAKEN, EMAIL_TAKEN, INVALID_CREDENTIALS, PASSWORD_RESET_REQUIRED,"
    " TOO_MANY_ATTEMPTS, OVERLOADED.",
)
async def update_me(
    info: Info,
    input: Annotated[UpdateMeInput, strawberry.argument(description="The changes.")],
) -> PrivateUser:
    caller = info.context.caller()
    user = await accounts.update_profile(
        info.context.services,
        info.context.device,
        caller,
        input.changes(),
        current_password=input.current_password,
    )
    return PrivateUser.of(user, caller)


@strawberry.mutation(
    metadata=cost(EXPORT),
    description="Returns all that is stored about you, without secrets. Of long lists it has the newest, and `truncated` names"
    " the lists that go on. Errors: UNAUTHENTICATED, TOKEN_EXPIRED, REAUTHENTICATION_REQUIRED, FORBIDDEN.",
)
async def export_my_data(info: Info) -> JSON:
    data = await accounts.export_my_data(
        info.context.services, info.context.device, info.context.caller()
    )
    return exported(data, info)


@strawberry.mutation(
    metadata=cost(PASSWORD_HASH),
    description="Deletes your account with everything that belongs to it, permanently, and returns its id."
    " Errors: UNAUTHENTICATED, TOKEN_EXPIRED, FORBIDDEN, REAUTHENTICATION_REQUIRED, INVALID_CREDENTIALS, PASSWORD_RESET_REQUIRED, TOO_MANY_ATTEMPTS, OVERLOADED.",
)
async def delete_me(
    info: Info,
    password: CurrentPassword = None,
) -> strawberry.ID:
    user_id = await accounts.delete(
        info.context.services, info.context.device, info.context.caller(), password=password
    )
    if browser := info.context.browser_session:
        browser.forget()
    return strawberry.ID(str(user_id))
