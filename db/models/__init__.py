"""The tables: one file for each noun."""

from db.models.base import Base, UtcDateTime
from db.models.factors import RecoveryCode, TotpFactor
from db.models.identities import Identity
from db.models.outbox import OutboxRow
from db.models.passkeys import Passkey
from db.models.posts import Post
from db.models.roles import UserRole
from db.models.security_events import SecurityEvent
from db.models.sessions import LoginSession
from db.models.tickets import Ticket
from db.models.users import User

__all__ = [
    "Base",
    "Identity",
    "LoginSession",
    "OutboxRow",
    "Passkey",
    "Post",
    "RecoveryCode",
    "SecurityEvent",
    "Ticket",
    "TotpFactor",
    "User",
    "UserRole",
    "UtcDateTime",
]
