"""Accounts, as those see them who administer them."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from db import models
from domain import admin
from domain.access_tokens.tokens import Caller
from domain.authentication.providers.identities import MAX_IDENTITIES
from domain.pagination import PageRequest
from domain.roles import Role
from domain.sessions import MAX_SESSIONS
from graphql_schema.connections import After, Connection, First
from graphql_schema.context import Info
from graphql_schema.engine.costs import LIST_QUERY, cost
from graphql_schema.types.factors import Factors, factors_of_users
from graphql_schema.types.identities import Identity, identities_of_users
from graphql_schema.types.roles import roles_of_users
from graphql_schema.types.security_events import Kinds, SecurityEvent, latest_events
from graphql_schema.types.sessions import Session, active_sessions
from graphql_schema.types.users import User


async def roles_of(self: "Account", info: Info) -> list[Role]:
    return await info.context.loaders.of(roles_of_users).load(self.user_id)


async def last_seen_of(self: "Account", info: Info) -> datetime | None:
    return await info.context.loaders.of(last_seen_of_users).load(self.user_id)


async def last_seen_of_users(session: AsyncSession, user_ids: list[UUID]) -> list[datetime | None]:
    found = await admin.last_seen(session, user_ids)
    return [found.get(user_id) for user_id in user_ids]


async def factors_of(self: "Account", info: Info) -> Factors:
    return await info.context.loaders.of(factors_of_users).load(self.user_id)


async def identities_of(self: "Account", info: Info) -> list[Identity]:
    return await info.context.loaders.of(identities_of_users).load(self.user_id)


@strawberry.type(
    description="A user as those see them who have a role. Only `accounts`, `account` and the mutations of administrators"
    " lead here."
)
class Account(User):
    email: str = strawberry.field(description="The email, in lower case.")
    email_verified: bool = strawberry.field(
        description="Whether the user has proven that they read mail at `email`."
    )
    roles: list[Role] = strawberry.field(
        resolver=roles_of,
        metadata=cost(LIST_QUERY, entries=len(Role)),
        description="The roles that the user has.",
    )
    disabled_at: datetime | None = strawberry.field(
        description="Since when the account cannot be signed in to, in UTC. Null if it can."
    )
    disabled_reason: str | None = strawberry.field(description="Why it was disabled.")
    password_reset_required: bool = strawberry.field(
        description="Whether the password is refused until it has been reset by mail."
    )
    last_seen_at: datetime | None = strawberry.field(
        resolver=last_seen_of,
        description="When the user last signed in or refreshed a session, in UTC. Null if no session of theirs is kept.",
    )
    factors: Factors = strawberry.field(
        resolver=factors_of,
        description="What the user can prove who they are with, besides a password.",
    )
    identities: list[Identity] = strawberry.field(
        resolver=identities_of,
        metadata=cost(LIST_QUERY, entries=MAX_IDENTITIES),
        description="The accounts at identity providers that the user can sign in with, the oldest first.",
    )

    user_id: strawberry.Private[UUID]
    caller: strawberry.Private[Caller]

    @classmethod
    def of(cls, user: models.User, caller: Caller) -> Self:
        return cls(
            id=strawberry.ID(str(user.id)),
            username=user.username,
            image_file=user.image_file,
            picture_id=user.picture_id,
            created_at=user.created_at,
            email=user.email,
            email_verified=user.email_verified_at is not None,
            disabled_at=user.disabled_at,
            disabled_reason=user.disabled_reason,
            password_reset_required=user.must_reset_at is not None,
            user_id=user.id,
            caller=caller,
        )

    @strawberry.field(
        metadata=cost(LIST_QUERY, entries=MAX_SESSIONS),
        description=f"The active sessions, the most recently used first, at most {MAX_SESSIONS}.",
    )
    async def sessions(self, info: Info) -> list[Session]:
        return await active_sessions(info, self.user_id, self.caller)

    @strawberry.field(
        metadata=cost(LIST_QUERY),
        description="What happened to the account, newest first. Older events are deleted after some time."
        " Errors: INVALID_INPUT.",
    )
    async def security_events(
        self, info: Info, first: First = 20, after: After = None, kinds: Kinds = None
    ) -> Connection[SecurityEvent]:
        return await latest_events(
            info, self.user_id, PageRequest.of(first, after), kinds, self.caller
        )
