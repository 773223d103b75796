"""What hooks are given and return."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

ClaimValue = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Account:
    """The account that an access token is issued to."""

    id: UUID
    username: str
    email: str = field(repr=False)
    email_verified: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """The session of an access token. ``method`` is how it was started, such as ``LOGIN``, and
    ``amr`` how the user has proved who they are (RFC 8176)."""

    id: UUID
    method: str
    amr: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """An account that someone wants to create. ``provider`` is the name of the identity provider
    that they sign up with, if they do, and ``ip`` their address."""

    username: str
    email: str = field(repr=False)
    email_verified: bool
    provider: str | None
    ip: str | None
