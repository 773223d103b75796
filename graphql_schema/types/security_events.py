"""Security events, for the owner of an account."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import strawberry
from sqlalchemy.ext.asyncio import AsyncSession

from db import models
from domain import security_events
from domain.access_tokens.tokens import Caller
from domain.pagination import Page, PageRequest
from domain.security_events import EventKind
from graphql_schema.connections import Connection, connection
from graphql_schema.context import Info
from graphql_schema.enums import publish
from graphql_schema.types.users import PublicUser, public_users

publish(
    EventKind,
    name="SecurityEventKind",
    description="What happened to an account.",
    values={
        EventKind.REGISTERED: "The account was created.",
        EventKind.LOGGED_IN: "A session was started.",
        EventKind.WRONG_PASSWORD: "A wrong password was entered, at login or within a session.",
        EventKind.SIGN_IN_CODE_REQUESTED: "A code to sign in was requested for the email of the account.",
        EventKind.WRONG_CODE: "A wrong code was entered, of a mail at a sign-in, of an authenticator app or a recovery code, or a"
        " passkey was wrong.",
        EventKind.SECOND_FACTOR_REQUESTED: "The first factor of a sign-in was right, and a second one was required. No session"
        " was started by this.",
        EventKind.REAUTHENTICATED: "The owner proved again, within a session, who they are.",
        EventKind.TOTP_ADDED: "An authenticator app was set up, and all other sessions ended.",
        EventKind.TOTP_REMOVED: "The authenticator app and the recovery codes were removed.",
        EventKind.RECOVERY_CODE_USED: "A recovery code was used in place of the authenticator app.",
        EventKind.RECOVERY_CODES_REPLACED: "New recovery codes were made, and the former ones stopped working.",
        EventKind.PASSKEY_ADDED: "A passkey was added.",
        EventKind.PASSKEY_REMOVED: "A passkey was removed.",
        EventKind.PASSKEY_COUNTER: "A passkey was used whose counter did not grow, so it may have been copied.",
        EventKind.FACTORS_REMOVED: "An administrator or the operator removed the authenticator app, the recovery codes and all passkeys, and all"
        " sessions ended.",
        EventKind.IDENTITY_LINKED: "An account at an identity provider was linked.",
        EventKind.IDENTITY_UNLINKED: "An account at an identity provider was unlinked.",
        EventKind.REFRESHED: "A session was refreshed.",
        EventKind.TOKEN_REUSED: "A used refresh token was used again, so it may be stolen. Its session was ended.",
        EventKind.EMAIL_CHANGED: "The email was changed.",
        EventKind.EMAIL_VERIFIED: "The owner proved that they read mail at the email. By a sign-in with a code or a reset of"
        " the password, this also removed the former password and ended all former sessions.",
        EventKind.EMAIL_CHANGE_UNDONE: "A change of the email was undone by the link in a mail to the former one, and all"
        " sessions ended.",
        EventKind.PASSWORD_CHANGED: "The password was changed, and all other sessions ended.",
        EventKind.PASSWORD_RESET_REQUESTED: "A link to reset the password was requested for the email of the account.",
        EventKind.PASSWORD_RESET: "The password was reset by a link in a mail, and all sessions ended.",
        EventKind.ACCOUNT_SECURED: "The link in a security notice was used: all sessions ended, and passkeys and a"
        " first authenticator app that recent notices had reported as added were removed.",
        EventKind.SESSION_ENDED: "A session was ended: by its owner, by a client that revoked its token, or because there"
        " were too many.",
        EventKind.USERNAME_CHANGED: "The username was changed, by the owner or by an administrator.",
        EventKind.EXPORTED: "The data of the account was exported.",
        EventKind.DISABLED: "The account was disabled, and all sessions ended.",
        EventKind.ENABLED: "The account was enabled.",
        EventKind.PASSWORD_RESET_REQUIRED: "An administrator required a new password, and all sessions ended.",
        EventKind.ROLE_GRANTED: "A role was granted.",
        EventKind.ROLE_REVOKED: "A role was revoked.",
        EventKind.IMPERSONATED: "An administrator started a session in place of the owner.",
        EventKind.IMPERSONATION_STARTED: "The owner started a session in place of another user.",
        EventKind.INVITATION_SENT: "The owner invited someone by mail to create an account.",
        EventKind.DELETED: "The account was deleted. Kept for the record; its owner can no longer read it.",
    },
)


Kinds = Annotated[
    list[EventKind] | None,
    strawberry.argument(description="Only events of these kinds. Null means all kinds."),
]


async def actor_of(self: "SecurityEvent", info: Info) -> PublicUser | None:
    if self.actor_id is None:
        return None
    return await info.context.loaders.from_replica(public_users).load(self.actor_id)


@strawberry.type(
    description="Something that happened to an account, for its owner and for administrators."
)
class SecurityEvent:
    id: strawberry.ID = strawberry.field(description="A UUID, never reused.")
    kind: EventKind = strawberry.field(description="What happened.")
    created_at: datetime = strawberry.field(description="When it happened, in UTC.")
    device: str | None = strawberry.field(
        description="The device it came from, as it names itself: `Firefox on Linux`."
    )
    ip: str | None = strawberry.field(
        description="The IP address it came from. Null in your own account if an administrator did it."
    )
    session_id: strawberry.ID | None = strawberry.field(
        description="The session concerned, which may have ended. Null for a failed login."
    )
    actor: PublicUser | None = strawberry.field(
        resolver=actor_of,
        description="Who did it, if that was not the owner: an administrator. Null too if their account is gone, or if it"
        " was the operator.",
    )
    detail: str | None = strawberry.field(
        description="What else is known: the reason of an administrator, a role, or the id of the user whom the owner"
        " impersonated."
    )

    actor_id: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, event: models.SecurityEvent, caller: Caller) -> Self:
        is_own = event.user_id == caller.user_id
        return cls(
            id=strawberry.ID(str(event.id)),
            kind=EventKind(event.kind),
            created_at=event.created_at,
            device=event.device,
            ip=security_events.ip_for_owner(event.ip, event.actor_id) if is_own else event.ip,
            session_id=strawberry.ID(str(event.session_id)) if event.session_id else None,
            detail=event.detail,
            actor_id=event.actor_id,
        )


async def latest_events(
    info: Info,
    user_id: UUID,
    page_request: PageRequest,
    kinds: list[EventKind] | None,
    caller: Caller,
) -> Connection[SecurityEvent]:
    async def read(session: AsyncSession) -> Page[models.SecurityEvent]:
        return await security_events.latest(session, user_id, page_request, kinds=kinds)

    # An event never changes, so only the first page can be behind. A user looks there for what has
    # just happened.
    if page_request.after is not None:
        page = await info.context.database.read_from_replica(read)
    else:
        async with info.context.database.reading() as session:
            page = await read(session)
    return connection(page, lambda event: SecurityEvent.of(event, caller))
