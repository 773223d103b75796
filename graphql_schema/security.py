"""What a person sees of their sessions, and of what happened to their account."""

from datetime import datetime
from enum import Enum
from typing import Self

import strawberry

from db import models
from domain.access_tokens.tokens import Caller
from domain.security_events import EventKind
from domain.sessions import SessionOrigin


@strawberry.enum(name="SessionOrigin", description="How a session was started.")
class PublishedSessionOrigin(Enum):
    REGISTRATION = strawberry.enum_value(
        SessionOrigin.REGISTRATION, description="With the account."
    )
    LOGIN = strawberry.enum_value(SessionOrigin.LOGIN, description="By the mutation `login`.")
    PASSWORD_GRANT = strawberry.enum_value(
        SessionOrigin.PASSWORD_GRANT, description="By an OAuth2 tool, at `/token`."
    )
    PASSWORD_CHANGE = strawberry.enum_value(
        SessionOrigin.PASSWORD_CHANGE,
        description="By a password change, in place of the session that it was made in.",
    )


@strawberry.enum(name="SecurityEventKind", description="What happened to an account.")
class PublishedEventKind(Enum):
    REGISTERED = strawberry.enum_value(EventKind.REGISTERED, description="It was opened.")
    LOGGED_IN = strawberry.enum_value(EventKind.LOGGED_IN, description="A session was started.")
    WRONG_PASSWORD = strawberry.enum_value(
        EventKind.WRONG_PASSWORD,
        description="Someone gave a wrong password, at the login or within a session.",
    )
    REFRESHED = strawberry.enum_value(
        EventKind.REFRESHED, description="A session went on with a new refresh token."
    )
    TOKEN_REUSED = strawberry.enum_value(
        EventKind.TOKEN_REUSED,
        description="A spent refresh token was used again, so someone else may have it: the session was ended.",
    )
    EMAIL_CHANGED = strawberry.enum_value(
        EventKind.EMAIL_CHANGED, description="The email was changed."
    )
    PASSWORD_CHANGED = strawberry.enum_value(
        EventKind.PASSWORD_CHANGED,
        description="The password was changed, and every other session ended.",
    )
    SESSION_ENDED = strawberry.enum_value(
        EventKind.SESSION_ENDED,
        description="A session was ended: by its owner, by a client that revoked its token, or because there were too many.",
    )
    DELETED = strawberry.enum_value(
        EventKind.DELETED,
        description="The account was deleted: for the record, since its owner can read no more of it.",
    )


@strawberry.type(description="Where someone is signed in, from a login until it ends or expires.")
class Session:
    id: strawberry.ID = strawberry.field(description="A UUID, as `endSession` takes it.")
    is_current: bool = strawberry.field(description="Whether this request is made in it.")
    origin: PublishedSessionOrigin = strawberry.field(description="How it was started.")
    client: str | None = strawberry.field(
        description="The program that started it, as it calls itself: `Firefox on Linux`."
    )
    ip: str | None = strawberry.field(description="The address that it was started from.")
    created_at: datetime = strawberry.field(description="When it was started, in UTC.")
    last_used_at: datetime = strawberry.field(
        description="When it was last refreshed, or started, in UTC."
    )
    expires_at: datetime = strawberry.field(
        description="When it ends if it is not refreshed before, in UTC."
    )

    @classmethod
    def of(cls, session: models.LoginSession, caller: Caller) -> Self:
        return cls(
            id=strawberry.ID(str(session.id)),
            is_current=session.id == caller.session_id,
            origin=PublishedSessionOrigin(session.origin),
            client=session.client,
            ip=session.ip,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
        )


@strawberry.type(description="Something that happened to an account, for its owner to check.")
class SecurityEvent:
    id: strawberry.ID = strawberry.field(description="A UUID, never used again.")
    kind: PublishedEventKind = strawberry.field(description="What happened.")
    created_at: datetime = strawberry.field(description="When, in UTC.")
    client: str | None = strawberry.field(description="By which program, as it calls itself.")
    ip: str | None = strawberry.field(description="From which address.")
    session_id: strawberry.ID | None = strawberry.field(
        description="The session that it concerns, which may have ended; null for a login that was refused."
    )

    @classmethod
    def of(cls, event: models.SecurityEvent) -> Self:
        return cls(
            id=strawberry.ID(str(event.id)),
            kind=PublishedEventKind(event.kind),
            created_at=event.created_at,
            client=event.client,
            ip=event.ip,
            session_id=strawberry.ID(str(event.session_id)) if event.session_id else None,
        )
