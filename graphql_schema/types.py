"""The types of the graph. Each is built by a classmethod from what the domain gives."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry

from db import models
from domain import security_events, sessions
from domain.access_tokens.tokens import AccessTokens, Caller
from domain.accounts.current_user import Account
from domain.pagination import Window
from domain.security_events import EventKind
from domain.sessions import MAX_SESSIONS, SignedIn
from graphql_schema.connections import After, Connection, First, connection
from graphql_schema.context import Info
from graphql_schema.engine.limits import LONG_TEXT, SEARCHES, SHORT_LIST
from graphql_schema.security import PublishedEventKind, SecurityEvent, Session


@strawberry.interface(description="A person with an account: what everyone may know about them.")
class User:
    id: strawberry.ID = strawberry.field(
        description="A UUID. The same for the PublicUser and the PrivateUser of one person, and never used again."
    )
    username: str = strawberry.field(
        description="The name, in the upper and lower case that its owner typed."
    )
    image_file: str | None = strawberry.field(
        description="The person's picture: a file name or an http(s) address; null if there is none."
    )
    created_at: datetime = strawberry.field(description="When the account was opened, in UTC.")


@strawberry.type(description="Someone as others see them. Holds nothing private, on any path.")
class PublicUser(User):
    @classmethod
    def of(cls, user: models.User) -> Self:
        return cls(
            id=strawberry.ID(str(user.id)),
            username=user.username,
            image_file=user.image_file,
            created_at=user.created_at,
        )

    @strawberry.field(metadata=SEARCHES, description="What this person has written, newest first.")
    async def posts(self, info: Info, first: First = 20, after: After = None) -> "Connection[Post]":
        window = Window.of(first, after)
        page = await info.context.loaders.posts_by_author.load((UUID(self.id), window))
        return connection(page, Post.of)


@strawberry.type(description="The caller as they see themselves. It is only ever the caller.")
class PrivateUser(User):
    email: str = strawberry.field(description="The email, in lower case. No other type has it.")
    caller: strawberry.Private[Caller]

    @classmethod
    def of(cls, user: models.User | Account, caller: Caller) -> Self:
        return cls(
            id=strawberry.ID(str(user.id)),
            username=user.username,
            image_file=user.image_file,
            created_at=user.created_at,
            email=user.email,
            caller=caller,
        )

    @strawberry.field(
        metadata=SHORT_LIST,
        description=f"Where this person is signed in, the most recently used first: at most {MAX_SESSIONS}.",
    )
    async def sessions(self, info: Info) -> list[Session]:
        async with info.context.database.reading() as session:
            found = await sessions.ongoing(session, self.caller.user_id)
        return [Session.of(one, self.caller) for one in found]

    @strawberry.field(
        metadata=SEARCHES,
        description="What has happened to this account, newest first, as long as it is kept."
        " Refused with INVALID_INPUT for a bad `first` or `after`.",
    )
    async def security_events(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        kinds: Annotated[
            list[PublishedEventKind] | None,
            strawberry.argument(description="Only these; everything that has happened if null."),
        ] = None,
    ) -> Connection[SecurityEvent]:
        window = Window.of(first, after)
        chosen = None if kinds is None else [EventKind(kind.name) for kind in kinds]
        async with info.context.database.reading() as session:
            page = await security_events.latest(session, self.caller.user_id, window, kinds=chosen)
        return connection(page, SecurityEvent.of)


@strawberry.type(description="What proves who you are, and who that is.")
class Token:
    access_token: str = strawberry.field(
        description="Send it as the header `Authorization: Bearer <accessToken>`."
    )
    token_type: str = strawberry.field(description="Always `bearer` (RFC 6750).")
    expires_in: int = strawberry.field(
        description="How long the access token lives from now, in seconds."
    )
    refresh_token: str = strawberry.field(
        description="What `refresh` takes, once, for the next Token. Keep it where no script of others can read it."
    )
    user: PrivateUser = strawberry.field(description="Whom the token was issued to.")

    @classmethod
    def of(cls, signed_in: SignedIn, tokens: AccessTokens) -> Self:
        issued = tokens.issue(signed_in.caller, not_after=signed_in.session.expires_at)
        return cls(
            access_token=issued.value,
            token_type="bearer",
            expires_in=issued.expires_in,
            refresh_token=signed_in.refresh_token.value,
            user=PrivateUser.of(signed_in.user, signed_in.caller),
        )

    # No secret in a repr: it would find its way into a log.
    __repr__ = object.__repr__


@strawberry.type(description="Something that someone wrote for all to read.")
class Post:
    id: strawberry.ID = strawberry.field(description="A UUID, never used again.")
    title: str = strawberry.field(description="1 to 200 characters on one line.")
    content: str = strawberry.field(
        metadata=LONG_TEXT, description="1 to 50,000 characters, exactly as written."
    )
    created_at: datetime = strawberry.field(description="When it was published, in UTC.")
    updated_at: datetime = strawberry.field(description="When it was last edited, in UTC.")
    author: PublicUser = strawberry.field(description="Who wrote it.")

    @classmethod
    def of(cls, post: models.Post) -> Self:
        return cls(
            id=strawberry.ID(str(post.id)),
            title=post.title,
            content=post.content,
            created_at=post.created_at,
            updated_at=post.updated_at,
            author=PublicUser.of(post.author),
        )
