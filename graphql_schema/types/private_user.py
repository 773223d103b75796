"""Users as they see themselves."""

from typing import Self
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from db import models
from domain import accounts, sessions
from domain.access_tokens.tokens import Caller
from domain.accounts.current_user import CurrentUser
from domain.authentication.providers.identities import MAX_IDENTITIES
from domain.mail.languages import ENGLISH, LANGUAGES
from domain.pagination import PageRequest
from domain.roles import Permission, Role, permissions_of
from domain.sessions import MAX_SESSIONS
from graphql_schema.connections import After, Connection, First
from graphql_schema.context import Info
from graphql_schema.engine.costs import LIST_QUERY, cost
from graphql_schema.types.factors import Factors, factors_of_users
from graphql_schema.types.identities import Identity, identities_of_users
from graphql_schema.types.roles import roles_of_users
from graphql_schema.types.security_events import Kinds, SecurityEvent, latest_events
from graphql_schema.types.sessions import Session, active_sessions
from graphql_schema.types.users import PublicUser, User


async def pending_email_of(self: "PrivateUser", info: Info) -> str | None:
    return await info.context.loaders.of(pending_emails_of).load(self.caller.user_id)


async def pending_emails_of(session: AsyncSession, user_ids: list[UUID]) -> list[str | None]:
    found = await accounts.pending_emails(session, user_ids)
    return [found.get(user_id) for user_id in user_ids]


async def identities_of(self: "PrivateUser", info: Info) -> list[Identity]:
    return await info.context.loaders.of(identities_of_users).load(self.caller.user_id)


async def factors_of(self: "PrivateUser", info: Info) -> Factors:
    return await info.context.loaders.of(factors_of_users).load(self.caller.user_id)


async def needs_second_factor(self: "PrivateUser", info: Info) -> bool:
    if not await _requires_second_factor(self, info):
        return False
    return not await info.context.loaders.of(have_second_factor).load(self.caller.session_id)


async def _requires_second_factor(self: "PrivateUser", info: Info) -> bool:
    services = info.context.services
    return services.requires_second_factor or (
        services.requires_second_factor_of_staff and bool(await roles_of(self, info))
    )


async def roles_of(self: "PrivateUser", info: Info) -> list[Role]:
    return await info.context.loaders.of(roles_of_users).load(self.caller.user_id)


async def permitted_to(self: "PrivateUser", info: Info) -> list[Permission]:
    permitted = permissions_of(await roles_of(self, info))
    return [permission for permission in Permission if permission in permitted]


async def have_second_factor(session: AsyncSession, session_ids: list[UUID]) -> list[bool]:
    found = await sessions.with_second_factor(session, session_ids)
    return [session_id in found for session_id in session_ids]


async def impersonator_of(self: "PrivateUser", info: Info) -> PublicUser | None:
    return await info.context.loaders.of(impersonators_of).load(self.caller.session_id)


async def impersonators_of(
    session: AsyncSession, session_ids: list[UUID]
) -> list[PublicUser | None]:
    found = await sessions.impersonators(session, session_ids)
    users = await accounts.get_users(session, set(found.values()))
    by_session = {id: users.get(user_id) for id, user_id in found.items()}
    return [PublicUser.of(user) if (user := by_session.get(id)) else None for id in session_ids]


@strawberry.type(description="The current user, with private data. It is only ever the caller.")
class PrivateUser(User):
    email: str = strawberry.field(
        description="The email, in lower case. Of the other types, only Account has it."
    )
    email_verified: bool = strawberry.field(
        description="Whether the user has proven that they read mail at `email`."
    )
    pending_email: str | None = strawberry.field(
        resolver=pending_email_of,
        description="The email that `requestEmailChange` sent a code to, until `confirmEmailChange` or until the code"
        " expires.",
    )
    has_password: bool = strawberry.field(
        description="Whether the account has a password. It has none if it was created without one, or after a sign-in by a"
        " mailed code proved an email that was not verified: see `setPassword`."
    )
    factors: Factors = strawberry.field(
        resolver=factors_of,
        description="What you can prove who you are with, besides your password.",
    )
    identities: list[Identity] = strawberry.field(
        resolver=identities_of,
        metadata=cost(LIST_QUERY, entries=MAX_IDENTITIES),
        description="The accounts at identity providers that you can sign in with, the oldest first.",
    )
    roles: list[Role] = strawberry.field(
        resolver=roles_of,
        metadata=cost(LIST_QUERY, entries=len(Role)),
        description="The roles that you have. They permit queries and mutations on accounts of others.",
    )
    permissions: list[Permission] = strawberry.field(
        resolver=permitted_to,
        metadata=cost(LIST_QUERY, entries=len(Permission)),
        description="What your roles permit, to show no more than that. The server decides at each request.",
    )
    impersonated_by: PublicUser | None = strawberry.field(
        resolver=impersonator_of,
        description="The administrator who acts in your place in this session. If there is one, it cannot change the"
        " account: such mutations are refused with FORBIDDEN.",
    )
    needs_second_factor: bool = strawberry.field(
        resolver=needs_second_factor,
        description="Whether this server requires a second factor that this session has not been proven with. If so, most"
        " mutations are refused with SECOND_FACTOR_SETUP_REQUIRED.",
    )
    locale: str = strawberry.field(
        description=f"The language of mails to the user: {' or '.join(f'`{code}`' for code in LANGUAGES)}."
    )
    caller: strawberry.Private[Caller]

    @classmethod
    def of(cls, user: models.User | CurrentUser, caller: Caller) -> Self:
        return cls(
            id=strawberry.ID(str(user.id)),
            username=user.username,
            image_file=user.image_file,
            picture_id=user.picture_id,
            created_at=user.created_at,
            email=user.email,
            email_verified=user.email_verified_at is not None,
            has_password=user.has_password,
            locale=user.locale or ENGLISH.code,
            caller=caller,
        )

    @strawberry.field(
        description="The user as others see them. Select it in a mutation to refresh the public entity in a client's"
        " cache, such as the author of posts."
    )
    def public_user(self) -> PublicUser:
        return PublicUser(
            id=self.id,
            username=self.username,
            image_file=self.image_file,
            picture_id=self.picture_id,
            created_at=self.created_at,
        )

    @strawberry.field(
        metadata=cost(LIST_QUERY, entries=MAX_SESSIONS),
        description=f"The active sessions, the most recently used first, at most {MAX_SESSIONS}.",
    )
    async def sessions(self, info: Info) -> list[Session]:
        return await active_sessions(info, self.caller.user_id, self.caller)

    @strawberry.field(
        metadata=cost(LIST_QUERY),
        description="What happened to this account, newest first. Older events are deleted after some time."
        " Errors: INVALID_INPUT.",
    )
    async def security_events(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        kinds: Kinds = None,
    ) -> Connection[SecurityEvent]:
        page_request = PageRequest.of(first, after)
        return await latest_events(info, self.caller.user_id, page_request, kinds, self.caller)
