"""The mutations."""

from typing import Annotated

import strawberry

from domain import accounts, authentication, posts, sessions
from domain.accounts import ProfileChanges
from domain.sessions import SessionOrigin
from graphql_schema.context import Info
from graphql_schema.engine.limits import HASHES
from graphql_schema.ids import as_uuid
from graphql_schema.types import Post, PrivateUser, Token


@strawberry.input(description="What it takes to open an account.")
class RegisterInput:
    username: str = strawberry.field(
        description="3 to 32 of the letters a to z, digits, and single dots, hyphens or underscores between them."
        " Keeps its case; two names that read the same are one name."
    )
    email: str = strawberry.field(
        description="An address that mail can be sent to. Kept in lower case."
    )
    password: str = strawberry.field(
        description="8 to 128 characters, used exactly as typed. Common passwords are refused."
    )

    # No secret in a repr: it would find its way into a log.
    __repr__ = object.__repr__


@strawberry.input(
    description="What to change about one's own account. A field left out stays as it is."
)
class UpdateMeInput:
    username: strawberry.Maybe[str] = strawberry.field(description="A new name.", default=None)
    email: strawberry.Maybe[str] = strawberry.field(
        description="A new email; needs `currentPassword`.", default=None
    )
    image_file: strawberry.Maybe[str | None] = strawberry.field(
        description="A new picture: a file name or an http(s) address; null takes the picture away.",
        default=None,
    )
    current_password: str | None = strawberry.field(
        description="The current password; needed to change the email.", default=None
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
        return changes


@strawberry.input(description="A post as its author writes it.")
class PostInput:
    title: str = strawberry.field(description="1 to 200 characters on one line.")
    content: str = strawberry.field(description="1 to 50,000 characters, kept exactly as written.")


PostId = Annotated[strawberry.ID, strawberry.argument(description="The post's id.")]


@strawberry.type(description="What can be changed.")
class Mutation:
    @strawberry.mutation(
        metadata=HASHES,
        description="Open an account and log in to it."
        " Refused with INVALID_INPUT, USERNAME_TAKEN, EMAIL_TAKEN, TOO_MANY_ATTEMPTS or OVERLOADED.",
    )
    async def register(
        self,
        info: Info,
        input: Annotated[RegisterInput, strawberry.argument(description="The new account.")],
    ) -> Token:
        signed_in = await accounts.register(
            info.context.gate,
            info.context.client,
            username=input.username,
            email=input.email,
            password=input.password,
        )
        return Token.of(signed_in, info.context.tokens)

    @strawberry.mutation(
        metadata=HASHES,
        description="Log in: start a session. Refused with INVALID_CREDENTIALS, TOO_MANY_ATTEMPTS or OVERLOADED.",
    )
    async def login(
        self,
        info: Info,
        username: Annotated[
            str, strawberry.argument(description="A username or an email, in any case.")
        ],
        password: Annotated[str, strawberry.argument(description="The password, as registered.")],
    ) -> Token:
        signed_in = await authentication.log_in(
            info.context.gate,
            info.context.client,
            login=username,
            password=password,
            origin=SessionOrigin.LOGIN,
        )
        return Token.of(signed_in, info.context.tokens)

    @strawberry.mutation(
        metadata=HASHES,
        description="Change one's own account; all of it or, on a refusal, nothing."
        " Refused with UNAUTHENTICATED, TOKEN_EXPIRED, INVALID_INPUT, USERNAME_TAKEN, EMAIL_TAKEN, INVALID_CREDENTIALS, TOO_MANY_ATTEMPTS"
        " or OVERLOADED.",
    )
    async def update_me(
        self,
        info: Info,
        input: Annotated[UpdateMeInput, strawberry.argument(description="The changes.")],
    ) -> PrivateUser:
        caller = info.context.caller()
        user = await accounts.update_profile(
            info.context.gate,
            info.context.client,
            caller,
            input.changes(),
            current_password=input.current_password,
        )
        return PrivateUser.of(user, caller)

    @strawberry.mutation(
        metadata=HASHES,
        description="Change one's own password, and end every session but the one of the Token that is answered:"
        " go on with that, since this one's tokens have ended too."
        " Refused with UNAUTHENTICATED, TOKEN_EXPIRED, INVALID_INPUT, INVALID_CREDENTIALS, TOO_MANY_ATTEMPTS or OVERLOADED.",
    )
    async def change_password(
        self,
        info: Info,
        current_password: Annotated[
            str, strawberry.argument(description="The password until now.")
        ],
        new_password: Annotated[
            str,
            strawberry.argument(
                description="8 to 128 characters, used exactly as typed. Common passwords are refused."
            ),
        ],
    ) -> Token:
        signed_in = await accounts.change_password(
            info.context.gate,
            info.context.client,
            info.context.caller(),
            current_password=current_password,
            new_password=new_password,
        )
        return Token.of(signed_in, info.context.tokens)

    @strawberry.mutation(
        description="Go on with a session: the next access token for a refresh token, and the next refresh token with it."
        " Used again within a few seconds, a refresh token gets the same successor; later, its session ends."
        " Refused with UNAUTHENTICATED or TOO_MANY_ATTEMPTS."
    )
    async def refresh(
        self,
        info: Info,
        refresh_token: Annotated[
            str, strawberry.argument(description="The `refreshToken` of the last Token.")
        ],
    ) -> Token:
        signed_in = await sessions.refresh(info.context.gate, info.context.client, refresh_token)
        return Token.of(signed_in, info.context.tokens)

    @strawberry.mutation(
        description="End the session that this request is made in, with all of its tokens, and answer its id."
        " Refused with UNAUTHENTICATED or TOKEN_EXPIRED."
    )
    async def logout(self, info: Info) -> strawberry.ID:
        caller = info.context.caller()
        async with info.context.database.writing() as session:
            await sessions.log_out(session, caller, info.context.client)
        return strawberry.ID(str(caller.session_id))

    @strawberry.mutation(
        description="End all of one's own sessions, and answer how many. Refused with UNAUTHENTICATED or TOKEN_EXPIRED."
    )
    async def logout_everywhere(
        self,
        info: Info,
        except_this: Annotated[
            bool | None, strawberry.argument(description="Whether this one goes on.")
        ] = False,
    ) -> int:
        caller = info.context.caller()
        async with info.context.database.writing() as session:
            return await sessions.end_all(
                session, caller, info.context.client, except_this=bool(except_this)
            )

    @strawberry.mutation(
        description="End one of one's own sessions, and answer its id. Refused with UNAUTHENTICATED, TOKEN_EXPIRED or NOT_FOUND."
    )
    async def end_session(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The session's id.")],
    ) -> strawberry.ID:
        caller = info.context.caller()
        async with info.context.database.writing() as session:
            await sessions.end(session, caller, info.context.client, as_uuid(id))
        return id

    @strawberry.mutation(
        metadata=HASHES,
        description="Delete one's own account with its posts and sessions, for good, and answer its id."
        " Refused with UNAUTHENTICATED, TOKEN_EXPIRED, INVALID_CREDENTIALS, TOO_MANY_ATTEMPTS or OVERLOADED.",
    )
    async def delete_me(
        self,
        info: Info,
        password: Annotated[str, strawberry.argument(description="The current password.")],
    ) -> strawberry.ID:
        user_id = await accounts.remove(
            info.context.gate, info.context.client, info.context.caller(), password=password
        )
        return strawberry.ID(str(user_id))

    @strawberry.mutation(
        description="Publish a post. Refused with UNAUTHENTICATED, TOKEN_EXPIRED or INVALID_INPUT."
    )
    async def create_post(
        self,
        info: Info,
        input: Annotated[PostInput, strawberry.argument(description="The new post.")],
    ) -> Post:
        author = info.context.caller()
        async with info.context.database.writing() as session:
            post = await posts.publish(session, author, title=input.title, content=input.content)
        return Post.of(post)

    @strawberry.mutation(
        description="Edit a post of one's own."
        " Refused with UNAUTHENTICATED, TOKEN_EXPIRED, NOT_FOUND, FORBIDDEN or INVALID_INPUT."
    )
    async def update_post(
        self,
        info: Info,
        id: PostId,
        input: Annotated[PostInput, strawberry.argument(description="The post as it shall be.")],
    ) -> Post:
        editor = info.context.caller()
        async with info.context.database.writing() as session:
            post = await posts.edit(
                session, editor, as_uuid(id), title=input.title, content=input.content
            )
        return Post.of(post)

    @strawberry.mutation(
        description="Remove a post of one's own, for good, and answer its id."
        " Refused with UNAUTHENTICATED, TOKEN_EXPIRED, NOT_FOUND or FORBIDDEN."
    )
    async def delete_post(self, info: Info, id: PostId) -> strawberry.ID:
        remover = info.context.caller()
        async with info.context.database.writing() as session:
            await posts.remove(session, remover, as_uuid(id))
        return id
