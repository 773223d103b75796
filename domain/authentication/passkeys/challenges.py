"""The challenges of passkeys: tickets that the answer of a browser comes with, once."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Ticket
from domain import tickets
from domain.tickets import TicketKind

LIFETIME = timedelta(minutes=5)

# WebAuthn Level 3, section 13.4.3, wants at least 16.
_BYTES = 32


@dataclass(frozen=True, slots=True)
class PasskeyRequest:
    """What a page gives to its browser, as JSON, and the ticket that the answer comes with."""

    ticket: str = field(repr=False)
    options: dict[str, Any] = field(repr=False)


def create(
    session: AsyncSession,
    kind: TicketKind,
    *,
    user_id: UUID | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[str, bytes]:
    """Add a ticket to the transaction. Return what the browser keeps, and the challenge."""
    challenge = secrets.token_bytes(_BYTES)
    encoded = base64.b64encode(challenge).decode()
    new = tickets.create(
        session,
        kind,
        lifetime=LIFETIME,
        user_id=user_id,
        state={**(state or {}), "challenge": encoded},
    )
    return new.value, challenge


def challenge_of(ticket: Ticket) -> bytes:
    return base64.b64decode(ticket.state["challenge"])
