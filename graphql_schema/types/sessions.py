"""Sessions, for their owner."""

from datetime import datetime
from typing import Self
from uuid import UUID

import strawberry

from db import models
from domain import security_events, sessions
from domain.access_tokens.tokens import Caller
from domain.sessions import LoginMethod
from graphql_schema.context import Info
from graphql_schema.enums import publish
from graphql_schema.types.users import PublicUser, public_users

publish(
    LoginMethod,
    name="LoginMethod",
    description="How a session was started.",
    values={
        LoginMethod.REGISTRATION: "By creating the account.",
        LoginMethod.LOGIN: "By the mutation `login`.",
        LoginMethod.PASSWORD_GRANT: "By an OAuth2 tool, at `/token`.",
        LoginMethod.PASSWORD_CHANGE: "By a password change, which replaced the session it was made in.",
        LoginMethod.PROVIDER: "By an identity provider, with `finishSignIn`.",
        LoginMethod.IMPERSONATION: "By an administrator who acts in place of the user, with `impersonate`.",
        LoginMethod.EMAIL_CODE: "By a code that was mailed to the user, with `signInByMail`.",
        LoginMethod.PASSKEY: "By a passkey, with `signInByPasskey`.",
    },
)


async def impersonator_of(self: "Session", info: Info) -> PublicUser | None:
    if self.impersonator_id is None:
        return None
    return await info.context.loaders.of(public_users).load(self.impersonator_id)


@strawberry.type(description="A session of a user, from a sign-in until it ends or expires.")
class Session:
    id: strawberry.ID = strawberry.field(description="A UUID, as `endSession` takes it.")
    is_current: bool = strawberry.field(description="Whether this request belongs to it.")
    method: LoginMethod = strawberry.field(description="How it was started.")
    device: str | None = strawberry.field(
        description="The device that started it, as it names itself: `Firefox on Linux`."
    )
    ip: str | None = strawberry.field(
        description="The IP address it was started from. Null in your own account if an administrator started it."
    )
    created_at: datetime = strawberry.field(description="When it was started, in UTC.")
    last_used_at: datetime = strawberry.field(
        description="When it was last refreshed or, before that, started, in UTC."
    )
    expires_at: datetime = strawberry.field(
        description="When it expires unless it is refreshed before, in UTC."
    )
    impersonated_by: PublicUser | None = strawberry.field(
        resolver=impersonator_of,
        description="The administrator who uses this session in place of its owner. Null for a session of the owner.",
    )

    impersonator_id: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, session: models.LoginSession, caller: Caller) -> Self:
        is_own, actor_id = session.user_id == caller.user_id, session.impersonator_id
        return cls(
            id=strawberry.ID(str(session.id)),
            is_current=session.id == caller.session_id,
            method=LoginMethod(session.method),
            device=session.device,
            ip=security_events.ip_for_owner(session.ip, actor_id) if is_own else session.ip,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            impersonator_id=actor_id,
        )


async def active_sessions(info: Info, user_id: UUID, caller: Caller) -> list[Session]:
    async with info.context.database.reading() as session:
        found = await sessions.active(session, user_id)
    return [Session.of(one, caller) for one in found]
