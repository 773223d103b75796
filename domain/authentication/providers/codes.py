"""The codes that a provider's callback returns to the frontend, and the frontend exchanges."""

import hmac
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from db.database import retried
from db.models import Ticket
from domain import tickets
from domain.devices import Device
from domain.errors import InvalidCode, InvalidInput
from domain.providers import Profile
from domain.providers.pkce import challenge_of
from domain.services import Services
from domain.tickets import TicketKind

LIFETIME = timedelta(minutes=1)

# To choose a username, once the verifier has shown who has the code.
EXTENDED_LIFETIME = timedelta(minutes=10)

WRONG_CODE = "This sign-in is not valid, has expired or was already used. Begin again."

_KIND = TicketKind.PROVIDER_CODE

# RFC 7636 sections 4.1 and 4.2: a challenge is the SHA-256 of a verifier.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A code that came with its verifier. `use` makes sure that it works once."""

    ticket: Ticket
    provider: str
    profile: Profile
    #: The user and the session that want to link the identity, or None for a sign-in.
    linked_to: tuple[UUID, UUID] | None = field(default=None)


def require_challenge(code_challenge: str) -> None:
    """Raise InvalidInput unless a text is a challenge of the method S256."""
    if not _CHALLENGE.fullmatch(code_challenge):
        message = (
            "A code challenge must be the SHA-256 of a verifier, as 43 characters of base64url."
        )
        raise InvalidInput(fields={"code_challenge": [message]})


def create_code(session: AsyncSession, flow: Ticket, profile: Profile) -> str:
    """Add a code for what a flow has found to the transaction."""
    state = {
        name: flow.state[name] for name in ("provider", "code_challenge", "user_id", "session_id")
    }
    state["profile"] = _as_state(profile)
    return tickets.create(session, _KIND, lifetime=LIFETIME, state=state).value


async def find_code(
    services: Services, device: Device, *, code: str, code_verifier: str
) -> FoundCode:
    """Return a code that can be used, and that the verifier belongs to. A wrong verifier counts,
    and after five the code is dead.

    Raises InvalidCode, whatever was wrong, or TooManyAttempts.
    """
    limiter = services.rate_limiter
    await limiter.hit(limiter.limits.network, device.network)
    # Read first: made-up codes must not occupy SQLite's single writer.
    async with services.database.reading() as session:
        ticket = await tickets.find_kept(session, _KIND, code)
    if ticket is None:
        raise InvalidCode("code", WRONG_CODE)
    if not _belongs(code_verifier, ticket.state["code_challenge"]):
        await _count_wrong_verifier(services, ticket)
        raise InvalidCode("code", WRONG_CODE)
    state = ticket.state
    linked_to = (UUID(state["user_id"]), UUID(state["session_id"])) if state["user_id"] else None
    return FoundCode(ticket, state["provider"], Profile(**state["profile"]), linked_to)


async def use(session: AsyncSession, found: FoundCode) -> None:
    """Use the code in the transaction of what it was for. Raises InvalidCode if it was used or has
    expired meanwhile."""
    if await tickets.use(session, found.ticket) is None:
        raise InvalidCode("code", WRONG_CODE)


@retried
async def extend(services: Services, found: FoundCode) -> None:
    """Give the user the time to choose a username."""
    async with services.database.writing() as session:
        ticket = await session.get(Ticket, found.ticket.id)
        if ticket is not None and ticket.used_at is None:
            ticket.expires_at = max(ticket.expires_at, ticket.created_at + EXTENDED_LIFETIME)


@retried
async def _count_wrong_verifier(services: Services, ticket: Ticket) -> None:
    async with services.database.writing() as session:
        await tickets.use(session, ticket, is_right=False)


def _belongs(verifier: str, challenge: str) -> bool:
    is_verifier = _VERIFIER.fullmatch(verifier) is not None
    return is_verifier and hmac.compare_digest(challenge_of(verifier), challenge)


def _as_state(profile: Profile) -> dict[str, Any]:
    return {
        "issuer": profile.issuer,
        "subject": profile.subject,
        "email": profile.email,
        "email_verified": profile.email_verified,
        "name_hint": profile.name_hint,
    }
